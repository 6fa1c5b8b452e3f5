//! The command line.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::{SignedDuration, Timestamp};
use shared::domain::OperationId;
use shared::store::Sort;
use url::Url;
use uuid::Uuid;

use crate::export::options::ExportOptions;
use crate::options::{RequestOptions, WaitOptions, seconds};
use crate::reconciliation_options::ReconciliationCommand;

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
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionOptions {
    /// A deployment that is named in the file
    /// `saasctl.yaml` [env: SAASCTL_PROFILE]
    #[arg(long, global = true, verbatim_doc_comment, value_name = "NAME")]
    #[arg(env = "SAASCTL_PROFILE", hide_env = true)]
    pub(crate) profile: Option<String>,
    /// The deployment's `ManagementApiUrl`, or the
    /// address that `cargo local` prints
    /// [env: MANAGEMENT_URL]
    /// [default: http://127.0.0.1:8080]
    #[arg(long, global = true, verbatim_doc_comment)]
    pub(crate) url: Option<Url>,
    /// Sign requests with AWS credentials from the
    /// environment or a profile. Requests to API
    /// Gateway's own addresses are always signed
    #[arg(long, global = true, verbatim_doc_comment)]
    pub(crate) aws: bool,
    /// The region to sign for [default: from the
    /// address, the environment or the profile]
    #[arg(long, global = true, verbatim_doc_comment)]
    pub(crate) region: Option<String>,
    /// How long to wait for each answer.
    #[arg(long, global = true, default_value = "30")]
    #[arg(value_parser = seconds, value_name = "SECONDS")]
    pub(crate) answer_within: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct TailOptions {
    /// Begin at this time, such as 2026-03-10T12:00Z, or
    /// so long ago, such as 90m, 6h or 2d [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, verbatim_doc_comment)]
    pub(crate) since: Option<Timestamp>,
    /// End when all is printed that there is.
    #[arg(long, requires = "since")]
    pub(crate) no_follow: bool,
    /// How long to pause between two looks.
    #[arg(long, default_value = "5", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) poll: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    /// The output `LandingPageUrl`
    /// [default: /landing on the API's host]
    #[arg(long, verbatim_doc_comment, value_name = "URL")]
    pub(crate) landing_url: Option<Url>,
    /// The output `WebhookUrl`
    /// [default: /webhook on the API's host]
    #[arg(long, verbatim_doc_comment, value_name = "URL")]
    pub(crate) webhook_url: Option<Url>,
    /// Also send a test event to your product, and
    /// wait until it was accepted
    #[arg(long, verbatim_doc_comment)]
    pub(crate) test_event: bool,
}

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
    },
    /// Find subscriptions by the beginning of an id, name,
    /// e-mail address, domain, tenant or company.
    #[command(verbatim_doc_comment)]
    Search {
        /// At least three characters.
        text: String,
        #[command(flatten)]
        filter: ListFilter,
    },
    /// Show a subscription as last recorded.
    Show {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
    },
    /// Show a subscription's events: what, who and why.
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
    /// Activate a subscription at Microsoft, which starts billing.
    Activate {
        /// The subscription: its id, or the beginning of
        /// its id, name or reference
        #[arg(verbatim_doc_comment, value_name = "SUBSCRIPTION")]
        id: Named,
        #[command(flatten)]
        wait: WaitOptions,
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
    /// Write records and events to a file.
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
    /// Send to your product again what is parked, or
    /// everything since a time.
    #[command(verbatim_doc_comment)]
    #[command(group(ArgGroup::new("what").required(true)))]
    Recover {
        /// Everything that is parked.
        #[arg(long, group = "what")]
        parked: bool,
        /// Every event that was recorded at this time
        /// or later, such as 2026-03-10T12:00Z, or so
        /// long ago, such as 90m, 6h or 2d
        #[arg(long, group = "what", value_name = "TIME", value_parser = time)]
        #[arg(verbatim_doc_comment)]
        since: Option<Timestamp>,
    },
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

/// A subscription as people name it: by its id, or by the beginning of whatever it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Id(Uuid),
    Text(String),
}

impl FromStr for Named {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Uuid::try_parse(text).map_or_else(|_| Self::Text(text.trim().to_owned()), Self::Id))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Received {
    /// A file with the request's body, byte for byte;
    /// `-` reads standard input
    #[arg(verbatim_doc_comment)]
    pub(crate) body: PathBuf,
    /// The header `webhook-id`.
    #[arg(long, value_name = "ID")]
    pub(crate) id: String,
    /// The header `webhook-timestamp`.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timestamp: i64,
    /// The header `webhook-signature`.
    #[arg(long)]
    pub(crate) signature: String,
    /// A file with the signing key, or several
    /// [default: the environment's DELIVERY_SIGNING_KEY]
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ListFilter {
    /// Only with this status: PendingFulfillmentStart,
    /// Subscribed, Suspended or Unsubscribed
    #[arg(long, verbatim_doc_comment)]
    pub(crate) status: Option<String>,
    /// Only of this offer.
    #[arg(long)]
    pub(crate) offer: Option<String>,
    /// Only test purchases.
    #[arg(long, conflicts_with = "no_test")]
    pub(crate) test: bool,
    /// No test purchases.
    #[arg(long)]
    pub(crate) no_test: bool,
    /// At most so many [default: all].
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    pub(crate) limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOrder {
    /// The latest change first.
    LastChange,
    /// The term that ends next first.
    TermEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OpenDelivery {
    /// Events are sent by themselves.
    Waiting,
    /// Events are sent only on request.
    Parked,
}

impl OpenDelivery {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Parked => "parked",
        }
    }
}

impl From<ListOrder> for Sort {
    fn from(order: ListOrder) -> Self {
        match order {
            ListOrder::LastChange => Self::LastChange,
            ListOrder::TermEnd => Self::TermEnd,
        }
    }
}

/// Reads a time, or a length of time before now.
fn time(text: &str) -> Result<Timestamp, &'static str> {
    time_before(text, Timestamp::now())
}

fn time_before(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    const NONE: &str = "neither a time, such as 2026-03-10T12:00Z, nor a length, such as 6h";
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago: SignedDuration = match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => SignedDuration::from_hours(24 * i64::from(days)),
        Some(Err(_)) => return Err(NONE),
        None => text.parse().map_err(|_| NONE)?,
    };
    if ago.is_negative() {
        return Err(NONE);
    }
    now.checked_sub(ago).map_err(|_| NONE)
}

/// Reads `KEY=VALUE`. The value may be empty, and may hold more signs of equality.
fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("not KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn number(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("not a number from 1 on")
}

/// Reads an id as this program prints it: what an address can't hold is percent-encoded.
fn operation_id(text: &str) -> Result<OperationId, &'static str> {
    OperationId::from_segment(text).ok_or("not the id of an operation")
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
    fn a_time_is_given_as_such_or_as_a_length_before_now() {
        let noon: Timestamp = "2026-03-10T12:00:00Z".parse().expect("a timestamp");
        let now = "2026-03-12T12:00:00Z".parse().expect("a timestamp");
        let time = |text| time_before(text, now);
        assert_eq!(time("2026-03-10T12:00Z"), Ok(noon));
        for (text, minutes) in [("90m", 90), ("6h", 360), ("2d", 2880), ("1h30m", 90)] {
            let ago = now.duration_since(time(text).expect("a length"));
            assert_eq!(ago, SignedDuration::from_mins(minutes), "{text}");
        }
        for nonsense in ["", "yesterday", "-6h", "d", "6", "999999999d"] {
            assert!(time(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_pair_ends_its_key_at_the_first_sign_of_equality() {
        let owned = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(pair("a=b"), owned("a", "b"));
        assert_eq!(pair("a=b=c"), owned("a", "b=c"));
        assert_eq!(pair("a="), owned("a", ""));
        assert_eq!(pair("a"), Err("not KEY=VALUE"));
    }

    #[test]
    fn seconds_may_have_a_fraction_but_no_sign() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for nonsense in ["-1", "x", "", "NaN", "1e99"] {
            assert!(seconds(nonsense).is_err(), "{nonsense}");
        }
    }
}
