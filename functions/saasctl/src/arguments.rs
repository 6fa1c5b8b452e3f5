//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Parser, Subcommand};
use clap_complete::Shell;
use jiff::Timestamp;
use shared::domain::OperationId;

use crate::export::options::ExportOptions;
use crate::find::Named;
use crate::kind_of_event::type_named;
use crate::list_options::{ListFilter, ListFormat, ListOrder, OpenDelivery};
use crate::offers_options::OffersCommand;
use crate::options::{
    ConnectionOptions, DoctorOptions, Received, RequestOptions, TailOptions, WaitOptions,
};
use crate::receiver_options::ReceiverCommand;
use crate::reconciliation_options::ReconciliationCommand;
use crate::value::{number, operation_id, pair, receiver, seconds, time};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused, or the operation failed
  2  wrong usage
  3  unavailable; try again
  4  Microsoft may or may not have received the request
  5  not finished within --timeout";

/// View and change subscriptions through the publisher's own API.
#[derive(Debug, Parser)]
#[command(name = "saasctl", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Print the API's JSON instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

// clap doesn't wrap help texts. The longer ones below break their lines for 80 columns.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List subscriptions.
    List {
        #[command(flatten)]
        filter: ListFilter,
        /// The order [default: none].
        #[arg(long, value_name = "ORDER")]
        sort: Option<ListOrder>,
        /// Only what your product has not accepted yet.
        #[arg(long, value_name = "STATE", conflicts_with = "sort")]
        delivery: Option<OpenDelivery>,
        /// The form [default: a list for people].
        #[arg(short = 'o', long = "output", value_name = "FORMAT", conflicts_with = "json")]
        format: Option<ListFormat>,
    },
    /// Find subscriptions by the beginning of an id, name,
    /// e-mail address, domain, tenant or company.
    #[command(verbatim_doc_comment)]
    Search {
        /// At least three characters.
        text: String,
        #[command(flatten)]
        filter: ListFilter,
        /// The form [default: a list for people].
        #[arg(short = 'o', long = "output", value_name = "FORMAT", conflicts_with = "json")]
        format: Option<ListFormat>,
    },
    /// Show a subscription as last recorded.
    Show {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
    },
    /// Show a subscription's events and notes: what, who, why.
    History {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
    },
    /// Print the events of all subscriptions as they come.
    Tail(TailOptions),
    /// Show the pending operations at Microsoft, or one operation.
    Operations {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// The operation's id.
        #[arg(value_parser = operation_id)]
        operation: Option<OperationId>,
    },
    /// Show the plans that the customer may change to.
    Plans {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
    },
    /// Request another plan from Microsoft.
    ChangePlan {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// The new plan's id.
        plan: String,
        /// For the history, such as when and how the
        /// customer approved the change
        #[arg(long, verbatim_doc_comment)]
        reason: Option<String>,
        #[command(flatten)]
        options: RequestOptions,
    },
    /// Request another number of seats from Microsoft.
    ChangeSeats {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// The new number of seats.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        seats: u64,
        /// For the history, such as when and how the
        /// customer approved the change
        #[arg(long, verbatim_doc_comment)]
        reason: Option<String>,
        #[command(flatten)]
        options: RequestOptions,
    },
    /// Cancel a subscription at Microsoft, for good.
    Cancel {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// Don't ask for confirmation.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        options: RequestOptions,
    },
    /// Activate a purchase; billing begins.
    #[command(visible_alias = "approve")]
    Activate {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// Why, for the history.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        wait: WaitOptions,
    },
    /// Decline a purchase that waits for its activation.
    /// Microsoft cancels it, for good.
    #[command(verbatim_doc_comment)]
    Decline {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// Why, for the buyer to read: one line of text
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Don't ask for confirmation.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        options: RequestOptions,
    },
    /// Set your own reference of a subscription.
    SetReference {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// The reference, up to 100 characters.
        #[arg(required_unless_present = "remove")]
        reference: Option<String>,
        /// Remove the reference.
        #[arg(long, conflicts_with = "reference")]
        remove: bool,
    },
    /// Set your own metadata of a subscription.
    SetMetadata {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// What to set. Other keys stay.
        #[arg(value_parser = pair, value_name = "KEY=VALUE", required_unless_present = "remove")]
        pairs: Vec<(String, String)>,
        /// Remove this key.
        #[arg(long, value_name = "KEY")]
        remove: Vec<String>,
    },
    /// Add a note, which stands in a subscription's history
    /// with your name.
    #[command(verbatim_doc_comment)]
    AddNote {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// One line, up to 1000 characters.
        text: String,
        /// Idempotency key: requests with the same key add
        /// one note
        #[arg(long, value_name = "TEXT", verbatim_doc_comment)]
        key: Option<String>,
    },
    /// Set your own references of many subscriptions.
    ImportReferences {
        /// A CSV file. Its first line names the columns
        /// `subscriptionId` and `reference`
        #[arg(verbatim_doc_comment)]
        file: PathBuf,
        /// Only compare the file with the subscriptions.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write records, events and notes to a file.
    Export {
        /// Only this subscription: its id, or the beginning
        /// of its id, name or reference [default: all]
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Option<Named>,
        #[command(flatten)]
        options: ExportOptions,
    },
    /// Read Microsoft's copy now, and record it.
    Observe {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
    },
    /// Deliver events to your product again.
    Redeliver {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// Start at this version [default: where delivery stopped].
        #[arg(long, value_name = "VERSION")]
        from: Option<u64>,
    },
    /// List what your product has not accepted yet.
    #[command(verbatim_doc_comment)]
    Deliveries {
        /// Only of this subscription, also what is accepted.
        #[arg(value_name = "SUBSCRIPTION")]
        id: Option<Named>,
    },
    /// Show what your product answered to the events of a
    /// subscription that it did not accept.
    #[command(verbatim_doc_comment)]
    Attempts {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// At most so many, the latest first.
        #[arg(long, value_name = "NUMBER", value_parser = number, default_value = "20")]
        limit: usize,
    },
    /// Send to your product again what is parked, or
    /// everything since a time.
    #[command(verbatim_doc_comment)]
    #[command(group(ArgGroup::new("what").required(true)))]
    Recover {
        /// Everything that is parked.
        #[arg(long, group = "what")]
        parked: bool,
        /// Every event that was recorded at this time
        /// or later, such as 2026-03-10T12:00Z, since
        /// the midnight (UTC) of a day, such as
        /// 2026-03-10, or since so long ago, such as
        /// 90m, 6h or 2d
        #[arg(long, group = "what", value_name = "TIME", value_parser = time)]
        #[arg(verbatim_doc_comment)]
        since: Option<Timestamp>,
        /// Of this receiver alone, as `receivers`
        /// names it
        #[arg(long, value_name = "NAME", value_parser = receiver, verbatim_doc_comment)]
        receiver: Option<String>,
    },
    /// Send a test event to your product, and show what
    /// was sent and what it answered.
    #[command(verbatim_doc_comment)]
    TestEvent {
        /// Test [default], Purchased, Imported,
        /// ActivationRequested, ActivationDeadlineApproaching,
        /// Activated, Claimed, SignedUp, PlanChanged,
        /// QuantityChanged, ChangeRejected, Renewed, DetailsChanged,
        /// Suspended, Reinstated, Unsubscribed or
        /// PersonalDataErased
        #[arg(long = "type", value_name = "TYPE", verbatim_doc_comment, value_parser = type_named)]
        kind: Option<String>,
        /// Send it to the receiver with this name alone
        /// [default: to all].
        #[arg(long, value_name = "NAME", value_parser = receiver, verbatim_doc_comment)]
        receiver: Option<String>,
        /// How long to wait for the answer
        /// [default: 30; for Imported, 200]
        #[arg(long, value_name = "SECONDS", value_parser = seconds, verbatim_doc_comment)]
        timeout: Option<Duration>,
    },
    #[command(flatten)]
    Receiver(ReceiverCommand),
    /// Show or set what single offers have of their own on
    /// the landing page.
    #[command(subcommand, verbatim_doc_comment)]
    Offers(OffersCommand),
    /// Show which deployment the commands reach, and as whom.
    Whoami,
    #[command(flatten)]
    Reconciliation(ReconciliationCommand),
    /// Erase the personal data of an ended subscription,
    /// for good.
    #[command(verbatim_doc_comment)]
    Erase {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        /// Only if the subscription still has this version.
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
        /// Don't ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Check the deployment, and say what is wrong.
    Doctor(DoctorOptions),
    /// Check the signature on what your product received.
    // clap would write a usage of 99 columns.
    #[command(
        override_usage = "saasctl verify-signature [OPTIONS] --id ID --timestamp SECONDS\n    \
                                --signature SIGNATURE BODY"
    )]
    VerifySignature(Received),
    /// Prepare a table that was restored to a point in time.
    Restore {
        /// The restored table's name.
        #[arg(long, value_name = "NAME")]
        table: String,
        /// The table that it replaces: the erasures of
        /// personal data in its list are repeated
        #[arg(long, value_name = "NAME", verbatim_doc_comment)]
        erasures_from: Option<String>,
        /// Don't ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Check a deployment's parameters before it begins.
    Preflight {
        /// The file with the parameters, YAML or JSON.
        parameters: PathBuf,
        /// The template.
        #[arg(long, default_value = "template.yaml", value_name = "FILE")]
        template: PathBuf,
    },
    /// Print a shell completion script.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_help_text_fits_80_columns() {
        let mut command = Arguments::command();
        command.build();
        for command in std::iter::once(&mut command.clone()).chain(command.get_subcommands_mut()) {
            for line in command.render_long_help().to_string().lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
        }
    }

    #[test]
    fn the_help_of_a_test_event_names_every_kind() {
        let mut command = Arguments::command();
        command.build();
        let command = command.find_subcommand_mut("test-event").expect("a command");
        let help = command.render_long_help().to_string();
        let words: Vec<_> = help.split(|letter: char| !letter.is_alphanumeric()).collect();
        for kind in shared::domain::EventKind::examples() {
            assert!(words.contains(&kind.name()), "{} in {help}", kind.name());
        }
    }
}
