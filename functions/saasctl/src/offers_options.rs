//! The commands about the settings of offers.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum OffersCommand {
    /// Print them as JSON, in the form that `set` reads.
    Get,
    /// Replace all of them with those of a file.
    Set {
        /// JSON by offer id, as in LANDING_OFFERS.
        file: PathBuf,
    },
    /// Remove all of them. The functions' settings stay.
    Clear,
}
