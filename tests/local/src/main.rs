//! `cargo local`: the whole system on one machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use local::decider::Decider;
use local::receiver::{Receiver, SenderClock};
use local::{Options, Stage, StageError, play};
use tracing_subscriber::EnvFilter;

/// Runs the publisher's side of Microsoft's SaaS fulfillment on this machine: an embedded
/// DynamoDB, an emulator of Microsoft's side, every function, the reconciliation, and a receiver of
/// events in the place of your product.
///
/// Settings are read from the environment as the functions read them. Where MARKETPLACE_URL,
/// ENTRA_AUTHORITY, AWS_ENDPOINT_URL_DYNAMODB or DELIVERY_ENDPOINT is set, that one is used instead
/// of an own.
#[derive(Parser)]
#[command(name = "cargo local")]
struct Arguments {
    /// Play a subscription's whole life without a person, and exit 1 at the first difference.
    #[arg(long)]
    play: bool,
    /// The port of the functions; 0 for any free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The port of the emulator and its page; 0 for any free one.
    #[arg(long, default_value_t = 8081)]
    emulator_port: u16,
    /// Keep the database in this folder. Without it, it lives in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Seconds between two runs of the reconciliation.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    reconcile_every: u64,
    /// What is logged, as in `info` or `warn,webhook=debug`; errors alone in a play, else warnings.
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
}

/// The settings that are taken from the environment.
const SETTINGS: [&str; 39] = [
    "MARKETPLACE_URL",
    "ENTRA_AUTHORITY",
    "ENTRA_TENANT_ID",
    "ENTRA_CLIENT_ID",
    "ENTRA_CLIENT_SECRET",
    "ENTRA_CLIENT_SECRET_ARN",
    "ENTRA_TOKEN_ENDPOINT",
    "MARKETPLACE_APP_ID",
    "TABLE_NAME",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "ACTIVATION",
    "CHANGE_POLICY",
    "CHANGE_RULES",
    "DECISION_URL",
    "DECISION_SIGNING_KEY",
    "DECISION_SIGNING_KEY_ARN",
    "DECISION_FALLBACK",
    "LANDING_SIGN_IN",
    "LANDING_CLIENT_ID",
    "LANDING_CLIENT_SECRET",
    "LANDING_CLIENT_SECRET_ARN",
    "LANDING_BASE_URL",
    "LANDING_PUBLISHER_NAME",
    "LANDING_LOGO",
    "LANDING_ACCENT",
    "LANDING_SUPPORT",
    "LANDING_PRODUCT_URL",
    "LANDING_FIELDS",
    "AWS_ENDPOINT_URL_EVENTBRIDGE",
    "DELIVERY_ENDPOINT",
    "DELIVERY_EVENT_BUS",
    "DELIVERY_PARK_AFTER_DAYS",
    "DELIVERY_SIGNING_KEY",
    "DELIVERY_SIGNING_KEY_ARN",
    "DELIVERY_SOURCE",
];

/// Between two looks at the table's stream.
const LOOK: Duration = Duration::from_millis(250);

/// Between two sweeps, as the template has it.
const SWEEP: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let quiet = if arguments.play { "error" } else { "warn,dynoxide=error" };
    tracing_subscriber::fmt()
        .compact()
        .with_env_filter(EnvFilter::new(arguments.log.as_deref().unwrap_or(quiet)))
        .with_writer(std::io::stderr)
        .init();
    let ran = if arguments.play { play_life(&arguments).await } else { serve(&arguments).await };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(
    arguments: &Arguments,
    emulator: emulator::Settings,
    port: u16,
    sign_in: &str,
    clock: SenderClock,
    decider: Option<&Decider>,
) -> Result<(Stage, Option<Receiver>), StageError> {
    let mut variables: BTreeMap<_, _> = SETTINGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
        .filter(|(_, value)| !value.trim().is_empty())
        .collect();
    variables.entry("LANDING_SIGN_IN".to_owned()).or_insert_with(|| sign_in.to_owned());
    if let Some(decider) = decider {
        // Whoever brings a decider knows what comes of each change; nobody else has a say in it.
        variables.retain(|name, _| !name.starts_with("CHANGE_") && !name.starts_with("DECISION_"));
        variables.extend(decider.settings());
    }
    for name in [
        "MARKETPLACE_URL",
        "ENTRA_AUTHORITY",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "DELIVERY_ENDPOINT",
        "DECISION_URL",
    ] {
        if let Some(url) = variables.get(name) {
            println!("{name} is set: using {url}");
        }
    }
    let told = ["DELIVERY_ENDPOINT", "DELIVERY_EVENT_BUS"];
    let mut receiver = None;
    if told.iter().all(|name| !variables.contains_key(*name)) {
        let own = Receiver::start(clock).await?;
        variables.insert("DELIVERY_ENDPOINT".to_owned(), own.url().to_owned());
        variables.insert("DELIVERY_SIGNING_KEY".to_owned(), own.key().to_owned());
        variables.remove("DELIVERY_SIGNING_KEY_ARN");
        receiver = Some(own);
    }
    let options =
        Options { variables, emulator, port, data: arguments.data.clone(), wrap_store: None };
    Ok((Stage::start(options).await?, receiver))
}

async fn play_life(arguments: &Arguments) -> Result<(), StageError> {
    // Nobody waits in a play: the emulator's clock moves only where a step moves it. Every run has
    // ids of its own, since the table may be an old one.
    let settings = emulator::Settings { seed: fresh_seed(), ..emulator::Settings::default() };
    let decider = Decider::start(SenderClock::Emulated).await?;
    let (stage, receiver) =
        start(arguments, settings, 0, "off", SenderClock::Emulated, Some(&decider)).await?;
    println!(
        "Playing a subscription's life: what Microsoft holds, what the table holds, what was recorded\n\
         and what your product was told."
    );
    play::play(&stage, receiver.as_ref(), Some(&decider))
        .await
        .map_err(|difference| StageError(format!("\nDIFFERENCE: {difference}")))?;
    println!("\nBoth sides held the same all along.");
    Ok(())
}

async fn serve(arguments: &Arguments) -> Result<(), StageError> {
    let settings = emulator::Settings {
        live: true,
        port: arguments.emulator_port,
        seed: fresh_seed(),
        ..emulator::Settings::default()
    };
    let (stage, receiver) =
        start(arguments, settings, arguments.port, "entra", SenderClock::Machine, None).await?;
    if let Some(emulator) = stage.emulator() {
        emulator.run_deliveries();
        println!("Microsoft's side   {}   buy something here", emulator.url());
    }
    println!("Landing page       {}/landing", stage.url());
    println!("Webhook            {}/webhook", stage.url());
    println!("Publisher's API    {}/subscriptions", stage.url());
    if let Some(database) = stage.database_url() {
        let kept = arguments
            .data
            .as_ref()
            .map_or("in memory".to_owned(), |folder| format!("in {}", folder.display()));
        println!("DynamoDB           {database}   {kept}");
    }
    if let Some(receiver) = &receiver {
        println!("Your product       {}   what it is told is shown here", receiver.url());
    }
    println!("Reconciliation     every {} s", arguments.reconcile_every);
    println!("Ctrl-C stops it all.");

    let mut schedule = tokio::time::interval(Duration::from_secs(arguments.reconcile_every));
    schedule.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let runs = async {
        loop {
            schedule.tick().await;
            if let Err(error) = stage.reconcile().await {
                tracing::error!(%error, "the reconciliation ended before its time; the next run goes on");
            }
        }
    };
    let tells = async {
        let mut looks = tokio::time::interval(LOOK);
        let mut sweeps = tokio::time::interval(SWEEP);
        for timer in [&mut looks, &mut sweeps] {
            timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        loop {
            let told = tokio::select! {
                _ = looks.tick() => stage.tell().await,
                _ = sweeps.tick() => stage.sweep().await,
            };
            if let Err(error) = told {
                tracing::error!(%error, "events could not be told; they stay due");
            }
        }
    };
    tokio::select! {
        () = runs => Ok(()),
        () = tells => Ok(()),
        stop = tokio::signal::ctrl_c() => {
            println!("\nStopped.");
            stop.map_err(|error| StageError(error.to_string()))
        }
    }
}

/// Ids that no earlier run has used.
fn fresh_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
