//! The commands about the receivers of events.

use clap::Subcommand;

use crate::value::receiver;

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiverCommand {
    /// Show the receivers of events: what each receives, and
    /// whether it is paused.
    #[command(verbatim_doc_comment)]
    Receivers,
    /// Pause a receiver of events. Its events wait.
    PauseReceiver {
        /// Its name, such as `endpoint` or `event-bus`.
        #[arg(value_parser = receiver)]
        name: String,
        /// Why, up to 500 characters.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Resume a receiver of events.
    ResumeReceiver {
        /// Its name, such as `endpoint` or `event-bus`.
        #[arg(value_parser = receiver)]
        name: String,
    },
}
