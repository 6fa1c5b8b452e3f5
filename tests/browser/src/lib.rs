//! A real browser in front of the whole system: Debian's Chromium, driven over WebDriver.

mod audit;
mod driver;
mod shop;

pub use audit::Look;
pub use driver::{Page, browse};
pub use shop::Shop;

/// Somebody for whom a purchase is.
pub const ADELE: &str = "adele@contoso.example";

/// Somebody who has nothing to do with it.
pub const STRANGER: &str = "sven@elsewhere.example";
