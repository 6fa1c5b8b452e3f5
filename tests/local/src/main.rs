//! `cargo local`: the whole system on one machine.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use local::decider::Decider;
use local::receiver::Receiver;
use local::sign_up_page::SignUpPage;
use local::{LocalError, LocalSystem, Options, settings_in_force, walkthrough};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at};
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
    /// The port of the staff console; 0 takes any free one.
    #[arg(long, default_value_t = 8082)]
    console_port: u16,
    /// Keep the database and Microsoft's side in this folder. By default they
    /// are in memory
    #[arg(long, value_name = "DIR", conflicts_with = "play", verbatim_doc_comment)]
    data: Option<PathBuf>,
    /// Hand buyers over to a sign-up page of your product's own, which this
    /// program has, too. Then your product activates
    #[arg(long, conflicts_with = "play", verbatim_doc_comment)]
    sign_up_page: bool,
    /// How often the reconciliation runs, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    reconcile_every: u64,
    /// What to log, such as `info` or `warn,webhook=debug`. The default is
    /// LOG_LEVEL, or else warnings, or only errors with --play
    #[arg(long, value_name = "LEVEL", verbatim_doc_comment)]
    log: Option<String>,
}

/// The pause between two reads of the table's stream.
const STREAM_PAUSE: Duration = Duration::from_millis(250);

/// The pause between two sweeps, as in the template.
const SWEEP_PAUSE: Duration = Duration::from_secs(60);

/// The pause between two examinations, as in the template.
const EXAMINATION_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The first one finds a run of the reconciliation and a sweep.
const FIRST_EXAMINATION: Duration = Duration::from_secs(5);

type Variables = BTreeMap<String, String>;

/// The setting that this program reads instead of the functions.
const LOG_LEVEL: &str = "LOG_LEVEL";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let given = settings(std::env::vars_os());
    start_log(&arguments, given.get(LOG_LEVEL));
    let ran = if arguments.play { play(given).await } else { serve(&arguments, given).await };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to standard error, with colours if a person reads it there.
fn start_log(arguments: &Arguments, level: Option<&String>) {
    let quiet = if arguments.play { "error" } else { "warn,dynoxide=error" };
    let level = arguments.log.as_ref().or(level).map_or(quiet, String::as_str);
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .compact()
        .with_env_filter(EnvFilter::new(level))
        .with_ansi(std::io::stderr().is_terminal() && !no_color)
        .with_writer(std::io::stderr)
        .init();
}

/// The settings of the functions: everything in the process's environment, since only the functions
/// know which names they read. An empty variable counts as absent.
fn settings(process: impl Iterator<Item = (OsString, OsString)>) -> Variables {
    process
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
}

/// Starts the system, and a receiver if the settings name none.
async fn start(mut options: Options) -> Result<(LocalSystem, Option<Receiver>), LocalError> {
    let variables = &mut options.variables;
    let targets = ["DELIVERY_ENDPOINT", "DELIVERY_ENDPOINTS", "DELIVERY_EVENT_BUS"];
    let mut receiver = None;
    if targets.iter().all(|name| !variables.contains_key(*name)) {
        let is_watched = options.emulator.live;
        let own = if is_watched { Receiver::printing().await? } else { Receiver::start().await? };
        variables.insert("DELIVERY_ENDPOINT".to_owned(), own.url().to_owned());
        variables.insert("DELIVERY_SIGNING_KEY".to_owned(), own.key().to_owned());
        variables.remove("DELIVERY_SIGNING_KEY_ARN");
        receiver = Some(own);
    }
    Ok((LocalSystem::start(options).await?, receiver))
}

async fn play(mut given: Variables) -> Result<(), Box<dyn Error>> {
    // The walkthrough expects its own decider's answers.
    given.retain(|name, _| !name.starts_with("CHANGE_") && !name.starts_with("DECISION_"));
    let decider = Decider::start().await?;
    let mut variables = given.clone();
    variables.extend(decider.settings());
    let (system, receiver) = start(played(&variables)).await?;
    let settings = settings_in_force(&system, &given);
    settings.iter().filter(|line| line.starts_with('*')).for_each(|line| println!("{line}"));
    println!(
        "Takes four subscriptions from purchase to cancellation. Each step shows what\n\
         Microsoft holds, what the table holds, the events that were recorded, and the\n\
         events that your product received."
    );
    let differs = |difference| format!("\nDIFFERENCE: {difference}");
    let steps = walkthrough::walk(&system, receiver.as_ref(), &decider).await.map_err(differs)?;
    variables.insert("LANDING_SIGN_IN".to_owned(), "entra".to_owned());
    let (system, receiver) = start(played(&variables)).await?;
    let walked = walkthrough::walk_with_sign_in(&system, receiver.as_ref(), &decider, steps);
    walked.await.map_err(differs)?;
    println!("\nBoth sides agreed after every step.");
    Ok(())
}

/// Only the walkthrough moves the emulator's clock. A new seed gives new ids, because the table may hold the
/// subscriptions of earlier runs.
fn played(variables: &Variables) -> Options {
    let emulator = emulator::Settings { seed: new_seed(), ..emulator::Settings::default() };
    Options { variables: variables.clone(), emulator, ..Options::default() }
}

async fn serve(arguments: &Arguments, given: Variables) -> Result<(), Box<dyn Error>> {
    let emulator = emulator::Settings {
        live: true,
        port: arguments.emulator_port,
        seed: new_seed(),
        ..emulator::Settings::default()
    };
    let mut variables = given.clone();
    variables.entry("LANDING_SIGN_IN".to_owned()).or_insert_with(|| "entra".to_owned());
    let page = match arguments.sign_up_page {
        true => Some(SignUpPage::start().await?),
        false => None,
    };
    variables.extend(page.iter().flat_map(SignUpPage::settings));
    let options = Options {
        variables,
        emulator,
        port: arguments.port,
        console_port: arguments.console_port,
        data: arguments.data.clone(),
        wrap_store: None,
    };
    let (system, receiver) = start(options).await?;
    if let Some(page) = &page {
        page.take_over_from(&system);
    }
    if let Some(emulator) = system.emulator() {
        emulator.run_deliveries();
    }
    print_addresses(arguments, &system, receiver.as_ref());
    println!("Settings           in force; * marks those of your environment");
    settings_in_force(&system, &given).iter().for_each(|line| println!("{line}"));
    println!("Press Ctrl-C to stop.");
    tokio::select! {
        () = reconcile(&system, arguments.reconcile_every) => Ok(()),
        () = deliver(&system) => Ok(()),
        () = examine(&system) => Ok(()),
        stop = tokio::signal::ctrl_c() => {
            println!("\nStopped.");
            Ok(stop?)
        }
    }
}

/// A line per setting that the functions have read. Warns of names that look like one of them.
fn settings_in_force(system: &LocalSystem, given: &Variables) -> Vec<String> {
    let known = [system.settings_read.as_slice(), &[LOG_LEVEL]].concat();
    for (name, meant) in settings_in_force::misspelt(given.keys().map(String::as_str), &known) {
        eprintln!("warning: no setting is called {name}; did you mean {meant}?");
    }
    let is_given = |name: &str| given.contains_key(name);
    settings_in_force::lines(&system.settings_read, &system.variables, is_given)
}

fn print_addresses(arguments: &Arguments, system: &LocalSystem, receiver: Option<&Receiver>) {
    if let Some(emulator) = system.emulator() {
        println!("Microsoft's side   {}   buy something here", emulator.url());
    }
    println!("Landing page       {}/landing", system.url());
    if let Some(console) = system.console_url() {
        println!("Console            {console}/console   sign in as vera, olof or ada");
    }
    println!("Webhook            {}/webhook", system.url());
    println!("Publisher's API    {}/subscriptions", system.url());
    if let Some(database) = system.database_url() {
        println!("DynamoDB           {database}");
    }
    match &arguments.data {
        Some(folder) => println!("Kept in            {}", folder.display()),
        None => println!("Kept in            memory; --data keeps it in a folder"),
    }
    if let Some(receiver) = receiver {
        println!("Your product       {}   its events appear below", receiver.url());
    }
    println!("Reconciliation     every {} s", arguments.reconcile_every);
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

async fn examine(system: &LocalSystem) {
    let mut examinations = interval_at(Instant::now() + FIRST_EXAMINATION, EXAMINATION_PAUSE);
    loop {
        examinations.tick().await;
        system.examine().await;
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
    fn a_run_without_a_person_keeps_nothing() {
        let arguments = ["cargo local", "--play", "--data", "folder"];
        let refused = Arguments::try_parse_from(arguments).err().expect("they conflict");
        assert_eq!(refused.kind(), clap::error::ErrorKind::ArgumentConflict);
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
