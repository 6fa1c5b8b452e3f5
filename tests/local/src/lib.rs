//! The whole system in one process: an embedded DynamoDB, an emulator of Microsoft's side, and
//! every function behind one HTTP server. `cargo local` runs it, and so do the tests.

mod data_folder;
pub mod database;
pub mod decider;
mod emulated_clock;
mod error;
pub mod receiver;
pub mod schemas;
mod server;
mod settings;
pub mod settings_in_force;
pub mod sign_up_page;
mod signature;
mod stream;
pub mod system;
pub mod test_env;
pub mod walkthrough;

pub use database::Database;
pub use error::LocalError;
pub use system::{LocalSystem, Options};
