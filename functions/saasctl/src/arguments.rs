//! What is written on the command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use url::Url;
use uuid::Uuid;

/// Looks at subscriptions and acts on them, through the publisher's own API.
#[derive(Debug, Parser)]
#[command(
    name = "saasctl",
    version,
    after_help = "Exit codes: 0 done; 1 refused, or the operation failed; 2 usage; 3 unavailable, try again; \
                  4 whether Microsoft took the request is not known; 5 still under way when the time was up."
)]
pub struct Arguments {
    /// Where to send what.
    #[command(flatten)]
    pub reach: Reach,
    /// JSON for programs, as the API answers it.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the API is, and who asks.
#[derive(Debug, Args)]
pub struct Reach {
    /// The API: `ManagementApiUrl` of the deployment, or where `cargo local` says it is.
    #[arg(long, global = true, env = "MANAGEMENT_URL", default_value = "http://127.0.0.1:8080")]
    pub url: Url,
    /// Sign with AWS credentials, of the environment or of a profile. API Gateway's own addresses
    /// are always signed for.
    #[arg(long, global = true)]
    pub aws: bool,
    /// The region to sign for; the address's, the environment's or the profile's where left out.
    #[arg(long, global = true)]
    pub region: Option<String>,
    /// Seconds to wait for an answer.
    #[arg(long, global = true, default_value = "30", value_parser = seconds, value_name = "SECONDS")]
    pub answer_within: Duration,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List subscriptions.
    List {
        /// Only those with this status, as in `Subscribed`.
        #[arg(long)]
        status: Option<String>,
        /// Only those of this offer.
        #[arg(long)]
        offer: Option<String>,
    },
    /// Show a subscription as last known.
    Show {
        /// The subscription.
        id: Uuid,
    },
    /// Show what happened to a subscription.
    History {
        /// The subscription.
        id: Uuid,
    },
    /// Show the operations that are under way at Microsoft, or how far one is.
    Operations {
        /// The subscription.
        id: Uuid,
        /// One operation.
        operation: Option<Uuid>,
    },
    /// Show the plans that the customer may change to.
    Plans {
        /// The subscription.
        id: Uuid,
    },
    /// Ask Microsoft for another plan.
    ChangePlan {
        /// The subscription.
        id: Uuid,
        /// The plan's id.
        plan: String,
        /// How to ask.
        #[command(flatten)]
        asked: AskedHow,
    },
    /// Ask Microsoft for another number of seats.
    ChangeSeats {
        /// The subscription.
        id: Uuid,
        /// How many.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        seats: u64,
        /// How to ask.
        #[command(flatten)]
        asked: AskedHow,
    },
    /// Ask Microsoft for the end of a subscription, for good.
    Cancel {
        /// The subscription.
        id: Uuid,
        /// Don't ask back.
        #[arg(long)]
        yes: bool,
        /// How to ask.
        #[command(flatten)]
        asked: AskedHow,
    },
    /// Tell Microsoft that the account is configured: billing begins.
    Activate {
        /// The subscription.
        id: Uuid,
        /// Whether to stay.
        #[command(flatten)]
        follow: Follow,
    },
    /// Look at Microsoft's copy now, and adopt it.
    Observe {
        /// The subscription.
        id: Uuid,
    },
    /// Have your product told events again.
    Redeliver {
        /// The subscription.
        id: Uuid,
        /// The version whose events come first; left out, from where the delivery stopped.
        #[arg(long, value_name = "VERSION")]
        from: Option<u64>,
    },
    /// Print a script that completes this command in a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

/// How something is asked of Microsoft.
#[derive(Debug, Args)]
pub struct AskedHow {
    /// Only if the subscription still has this version.
    #[arg(long, value_name = "VERSION")]
    pub if_version: Option<u64>,
    /// Names the request: the same key within a day asks for nothing a second time.
    #[arg(long, value_name = "TEXT")]
    pub key: Option<String>,
    /// Whether to stay.
    #[command(flatten)]
    pub follow: Follow,
}

/// Whether and how to stay until something has come to its end.
#[derive(Debug, Args)]
pub struct Follow {
    /// Stay until it is in force, or refused.
    #[arg(long)]
    pub wait: bool,
    /// How long to stay.
    #[arg(long, default_value = "300", value_parser = seconds, value_name = "SECONDS")]
    pub timeout: Duration,
    /// How long to pause between two looks.
    #[arg(long, default_value = "3", value_parser = seconds, value_name = "SECONDS")]
    pub poll: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn seconds_may_be_parts_and_are_never_less_than_none() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for nonsense in ["-1", "x", "", "NaN", "1e99"] {
            assert!(seconds(nonsense).is_err(), "{nonsense}");
        }
    }
}
