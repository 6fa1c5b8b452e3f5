//! A real browser in front of the whole system: Chromium, driven over WebDriver.

mod audit;
mod driver;
mod shop;

pub use audit::Look;
pub use driver::{Page, browse};
pub use shop::Shop;

/// The beneficiary of every purchase.
pub const ADELE: &str = "adele@contoso.example";

/// A person whom no purchase names.
/// Works where Adele works, and bought nothing.
pub const COLLEAGUE: &str = "carl@contoso.example";
pub const STRANGER: &str = "sven@elsewhere.example";
