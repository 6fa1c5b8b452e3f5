//! The commands about the reconciliation.

use clap::{Args, Subcommand};

use crate::options::PatienceOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum ReconciliationCommand {
    /// Show the last runs of the reconciliation, and what differed
    /// from Microsoft's copy.
    #[command(verbatim_doc_comment)]
    Drift(DriftOptions),
    /// Compare every subscription now, and repair what differs.
    Reconcile {
        /// Idempotency key: requests with the same key
        /// start one run
        #[arg(long, value_name = "TEXT", verbatim_doc_comment)]
        key: Option<String>,
        /// Wait until the run has ended, and show what it found
        #[arg(long, verbatim_doc_comment)]
        wait: bool,
        #[command(flatten)]
        patience: PatienceOptions,
    },
    /// Pause the reconciliation.
    PauseRuns {
        /// Why, up to 500 characters.
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    /// Resume the reconciliation.
    ResumeRuns,
}

#[derive(Debug, Args)]
pub(crate) struct DriftOptions {
    /// How many runs to show.
    #[arg(long, default_value = "5", value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) limit: u8,
    /// Compare now, repair nothing, wait until the
    /// comparison has ended, and show what differs
    #[arg(long, verbatim_doc_comment)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) patience: PatienceOptions,
}
