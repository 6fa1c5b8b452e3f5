//! `cargo local`: the whole system on one machine.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use local::decider::Decider;
use local::receiver::Receiver;
use local::{LocalError, LocalSystem, Options, walkthrough};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing_subscriber::EnvFilter;

/// Runs the publisher's side on this machine: all functions, an embedded DynamoDB,
/// an emulator of Microsoft's side, and a receiver of events in place of your
/// product.
///
/// Settings are environment variables, the same as in a deployment. If
/// MARKETPLACE_URL, ENTRA_AUTHORITY, AWS_ENDPOINT_URL_DYNAMODB or DELIVERY_ENDPOINT
/// is set, cargo local uses it instead of starting its own.
#[derive(Parser)]
#[command(name = "cargo local", bin_name = "cargo local", verbatim_doc_comment)]
struct Arguments {
    /// Take two subscriptions from purchase to cancellation without a
    /// person. Exit with 1 at the first difference between the two sides
    #[arg(long, verbatim_doc_comment)]
    play: bool,
    /// The port of the functions; 0 takes any free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The port of the emulator and its page; 0 takes any free one.
    #[arg(long, default_value_t = 8081)]
    emulator_port: u16,
    /// Keep the database in this folder. By default it is in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How often the reconciliation runs, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    reconcile_every: u64,
    /// What to log, such as `info` or `warn,webhook=debug`. The default is
    /// warnings, or only errors with --play
    #[arg(long, value_name = "LEVEL", verbatim_doc_comment)]
    log: Option<String>,
}

/// The pause between two reads of the table's stream.
const STREAM_PAUSE: Duration = Duration::from_millis(250);

/// The pause between two sweeps, as in the template.
const SWEEP_PAUSE: Duration = Duration::from_secs(60);

/// The addresses that replace a part of the local system.
const REPLACEMENTS: [&str; 5] = [
    "MARKETPLACE_URL",
    "ENTRA_AUTHORITY",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "DELIVERY_ENDPOINT",
    "DECISION_URL",
];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let quiet = if arguments.play { "error" } else { "warn,dynoxide=error" };
    tracing_subscriber::fmt()
        .compact()
        .with_env_filter(EnvFilter::new(arguments.log.as_deref().unwrap_or(quiet)))
        .with_writer(std::io::stderr)
        .init();
    let ran = if arguments.play { play(&arguments).await } else { serve(&arguments).await };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The settings of the functions: everything in the process's environment, since only the functions
/// know which names they read. An empty variable counts as absent.
fn settings(process: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    process
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
}

async fn start(
    arguments: &Arguments,
    emulator: emulator::Settings,
    port: u16,
    sign_in: &str,
    decider: Option<&Decider>,
) -> Result<(LocalSystem, Option<Receiver>), LocalError> {
    let mut variables = settings(std::env::vars_os());
    variables.entry("LANDING_SIGN_IN".to_owned()).or_insert_with(|| sign_in.to_owned());
    if decider.is_some() {
        // The walkthrough expects its own decider's answers.
        variables.retain(|name, _| !name.starts_with("CHANGE_") && !name.starts_with("DECISION_"));
    }
    for name in REPLACEMENTS {
        if let Some(url) = variables.get(name) {
            println!("{name} is set: using {url}");
        }
    }
    variables.extend(decider.map(Decider::settings).unwrap_or_default());
    let targets = ["DELIVERY_ENDPOINT", "DELIVERY_EVENT_BUS"];
    let mut receiver = None;
    if targets.iter().all(|name| !variables.contains_key(*name)) {
        let own =
            if decider.is_some() { Receiver::start().await? } else { Receiver::printing().await? };
        variables.insert("DELIVERY_ENDPOINT".to_owned(), own.url().to_owned());
        variables.insert("DELIVERY_SIGNING_KEY".to_owned(), own.key().to_owned());
        variables.remove("DELIVERY_SIGNING_KEY_ARN");
        receiver = Some(own);
    }
    let options =
        Options { variables, emulator, port, data: arguments.data.clone(), wrap_store: None };
    Ok((LocalSystem::start(options).await?, receiver))
}

async fn play(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    // Only the walkthrough moves the emulator's clock. A new seed gives new ids, because the table
    // may hold the subscriptions of earlier runs.
    let settings = emulator::Settings { seed: new_seed(), ..emulator::Settings::default() };
    let decider = Decider::start().await?;
    let (system, receiver) = start(arguments, settings, 0, "off", Some(&decider)).await?;
    println!(
        "Takes two subscriptions from purchase to cancellation. Each step shows what\n\
         Microsoft holds, what the table holds, the events that were recorded, and the\n\
         events that your product received."
    );
    walkthrough::walk(&system, receiver.as_ref(), &decider)
        .await
        .map_err(|difference| format!("\nDIFFERENCE: {difference}"))?;
    println!("\nBoth sides agreed after every step.");
    Ok(())
}

async fn serve(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let settings = emulator::Settings {
        live: true,
        port: arguments.emulator_port,
        seed: new_seed(),
        ..emulator::Settings::default()
    };
    let (system, receiver) = start(arguments, settings, arguments.port, "entra", None).await?;
    if let Some(emulator) = system.emulator() {
        emulator.run_deliveries();
    }
    print_addresses(arguments, &system, receiver.as_ref());
    tokio::select! {
        () = reconcile(&system, arguments.reconcile_every) => Ok(()),
        () = deliver(&system) => Ok(()),
        stop = tokio::signal::ctrl_c() => {
            println!("\nStopped.");
            Ok(stop?)
        }
    }
}

fn print_addresses(arguments: &Arguments, system: &LocalSystem, receiver: Option<&Receiver>) {
    if let Some(emulator) = system.emulator() {
        println!("Microsoft's side   {}   buy something here", emulator.url());
    }
    println!("Landing page       {}/landing", system.url());
    println!("Webhook            {}/webhook", system.url());
    println!("Publisher's API    {}/subscriptions", system.url());
    if let Some(database) = system.database_url() {
        let place = match &arguments.data {
            Some(folder) => folder.display().to_string(),
            None => "memory".to_owned(),
        };
        println!("DynamoDB           {database}   in {place}");
    }
    if let Some(receiver) = receiver {
        println!("Your product       {}   its events appear below", receiver.url());
    }
    println!("Reconciliation     every {} s", arguments.reconcile_every);
    println!("Press Ctrl-C to stop.");
}

async fn reconcile(system: &LocalSystem, seconds: u64) {
    let mut runs = every(Duration::from_secs(seconds));
    loop {
        runs.tick().await;
        if let Err(error) = system.reconcile().await {
            tracing::error!(%error, "the reconciliation failed; the next run continues");
        }
    }
}

/// Does what the table's stream and the sweep's schedule do on Lambda.
async fn deliver(system: &LocalSystem) {
    let (mut reads, mut sweeps) = (every(STREAM_PAUSE), every(SWEEP_PAUSE));
    loop {
        let delivered = tokio::select! {
            _ = reads.tick() => system.deliver_events().await,
            _ = sweeps.tick() => system.sweep().await,
        };
        if let Err(error) = delivered {
            tracing::error!(%error, "could not deliver events; they stay pending");
        }
    }
}

fn every(pause: Duration) -> Interval {
    let mut interval = interval(pause);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// A seed whose ids no earlier run has used.
fn new_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_variable_with_a_value_reaches_the_functions() {
        let process = [
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:4566"),
            ("A_SETTING_OF_TOMORROW", "1"),
            ("CHANGE_POLICY", " "),
        ];
        let process = process.iter().map(|(name, value)| (name.into(), value.into()));
        let settings = settings(process);
        let expected = [
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:4566"),
            ("A_SETTING_OF_TOMORROW", "1"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(settings, expected.into());
    }

    #[test]
    fn the_command_line_is_consistent_and_its_help_fits_80_columns() {
        Arguments::command().debug_assert();
        let help = Arguments::command().render_long_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
