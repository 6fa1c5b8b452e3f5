//! Measures how much of Microsoft's ten seconds a plan change takes (F-WHA-10). Each run starts the
//! webhook's binary cold, as Lambda does, while Entra, Microsoft and the publisher's product are as
//! slow as they can be without the webhook losing its say.
//!
//! This is no test, because the figures depend on the machine. The program exits 1 if a change took
//! longer than ten seconds or was not rejected by us.

mod cpu;
mod measure;
mod scenario;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use cpu::{Cpu, cpu};
use measure::{Measured, measure};
use runtime::Credential;
use scenario::{SCENARIOS, Scenario};

/// Microsoft's window (F-WHA-10).
const WINDOW: Duration = Duration::from_secs(10);

/// Measures the time from the start of a cold webhook to its acknowledgement of a plan change, and
/// to its answer. The webhook's binary must be in the same folder as this one, or in the folder
/// that RUNTIME_BINARIES names.
#[derive(Parser)]
struct Arguments {
    /// How many times to run each scenario.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Run only the scenarios whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// Measure the webhook's own processor time instead, with each kind of credential.
    #[arg(long)]
    cpu: bool,
    /// With --cpu: another build of the webhook, to compare with.
    #[arg(long, requires = "cpu")]
    against: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let binary = match webhook() {
        Ok(binary) => binary,
        Err(missing) => {
            eprintln!("{missing}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.cpu {
        return match processor_time(&binary, arguments.against.as_deref(), arguments.runs).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(wrong) => {
                eprintln!("{wrong}");
                ExitCode::FAILURE
            }
        };
    }
    println!("{} cold starts of {} per scenario", arguments.runs, binary.display());
    println!("{:<48} {:>25}   {:>25}", "", "acknowledged after", "answered after");
    println!(
        "{:<48} {:>25}   {:>25}",
        "scenario", "median     max  of 10 s", "median     max  of 10 s"
    );
    let mut late = 0;
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.name.contains(&arguments.only)) {
        let mut runs = Vec::new();
        for _ in 0..arguments.runs {
            match measure(&binary, scenario).await {
                Ok(measured) => runs.push(measured),
                Err(wrong) => {
                    eprintln!("{}: {wrong}", scenario.name);
                    return ExitCode::FAILURE;
                }
            }
        }
        late += report(scenario, &runs);
    }
    if late == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("{late} runs took longer than ten seconds");
    ExitCode::FAILURE
}

/// Prints the webhook's processor time. The builds and kinds take turns, so that whatever else the
/// machine does slows down all of them.
async fn processor_time(binary: &Path, against: Option<&Path>, runs: u32) -> Result<(), String> {
    let kinds = [
        ("a client secret", None),
        ("a certificate", Some(Credential::Certificate)),
        ("an identity at AWS", Some(Credential::AwsIdentity)),
    ];
    let other = against.map(|path| ("the other build, a client secret", path, None));
    let own = kinds.map(|(name, kind)| (name, binary, kind));
    let measured: Vec<_> = other.into_iter().chain(own).collect();
    let mut figures = vec![Vec::new(); measured.len()];
    for _ in 0..runs {
        for ((_, path, credential), figures) in measured.iter().zip(&mut figures) {
            figures.push(cpu(path, *credential).await?);
        }
    }
    println!("{runs} processes each; medians, beside the first line");
    println!("{:<34} {:>22} {:>22}", "the webhook with", "cold start", "warm call");
    let mut first = None;
    for ((name, ..), figures) in measured.iter().zip(&figures) {
        let median = |of: fn(&Cpu) -> Duration| {
            let mut times: Vec<_> = figures.iter().map(of).collect();
            times.sort_unstable();
            times[times.len() / 2].as_secs_f64() * 1000.0
        };
        let now = (median(|cpu| cpu.cold), median(|cpu| cpu.warm));
        let (cold, warm) = *first.get_or_insert(now);
        println!(
            "{name:<34} {:>8.2} ms {:>+7.2} ms {:>8.3} ms {:>+7.1} %",
            now.0,
            now.0 - cold,
            now.1,
            100.0 * (now.1 / warm - 1.0),
        );
    }
    Ok(())
}

/// Prints a scenario's figures and returns how many of its runs took too long.
fn report(scenario: &Scenario, runs: &[Measured]) -> usize {
    let figures = |of: fn(&Measured) -> Duration| {
        let mut times: Vec<_> = runs.iter().map(of).collect();
        times.sort_unstable();
        let max = times.last().copied().unwrap_or_default();
        let share = 100.0 * max.as_secs_f64() / WINDOW.as_secs_f64();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        format!("{:>4} ms {:>4} ms {share:>7.1} %", median.as_millis(), max.as_millis())
    };
    let (acknowledged, answered) = (figures(|run| run.acknowledged), figures(|run| run.answered));
    println!("{:<48} {acknowledged:>25}   {answered:>25}", scenario.name);
    runs.iter().filter(|run| run.acknowledged.max(run.answered) >= WINDOW).count()
}

fn webhook() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let binary = runtime::binary(&own.with_file_name("webhook").to_string_lossy());
    if binary.is_file() {
        return Ok(binary);
    }
    Err(format!(
        "{} is missing; build it with `cargo build --release -p webhook`",
        binary.display()
    ))
}
