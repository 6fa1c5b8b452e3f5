//! A real browser in front of the whole system: Chromium, driven over WebDriver.

mod audit;
mod driver;
mod shop;

pub use audit::Look;
pub use driver::{Page, browse};
pub use shop::Shop;

/// The beneficiary of every purchase.
pub const ADELE: &str = "adele@contoso.example";

/// Another person of the beneficiary's company.
pub const COLLEAGUE: &str = "carl@contoso.example";

/// A person whom no purchase names.
pub const STRANGER: &str = "sven@elsewhere.example";
