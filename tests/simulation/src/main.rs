//! Runs the simulation: `cargo sim --seeds 1000000`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use jiff::SignedDuration;
use simulation::{
    Campaign, CampaignError, Fault, Flow, Injection, Progress, Violation, inject, reproduce_with,
    simulate,
};

// Small allocations take a quarter of a seed's time with the system allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the simulation for many seeds. Prints what they reached, or the history of the first seed
/// that violates an invariant.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run only this seed. If it violates an invariant, print its history.
    #[arg(long)]
    seed: Option<u64>,
    /// Run only this flow, with one injection. If it violates an invariant, print its history.
    #[arg(long, requires = "effect", conflicts_with = "seed")]
    flow: Option<Flow>,
    /// The number of the effect to disturb, counted from zero.
    #[arg(long, requires = "flow")]
    effect: Option<usize>,
    /// The fault to inject. Without it, all other actors run before the effect.
    #[arg(long, requires = "flow")]
    fault: Option<Fault>,
    /// The number of threads. The default is one per core.
    #[arg(long)]
    threads: Option<usize>,
    /// End after this time, such as `2h` or `90s`, even if seeds are left.
    #[arg(long = "for", value_name = "TIME")]
    limit: Option<SignedDuration>,
    /// Go on from this file, and save there what is done. It belongs to one build.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        let verdict = simulate(seed, true);
        if let Ok(reached) = &verdict {
            print!("{reached}");
        }
        return show(&format!("--seed {seed}"), verdict.map(drop));
    }
    if let (Some(flow), Some(effect)) = (arguments.flow, arguments.effect) {
        let injection = Injection { flow, effect, fault: arguments.fault };
        return show(&injection.arguments(), inject(injection));
    }
    run_seeds(arguments)
}

fn run_seeds(arguments: Arguments) -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let campaign = Campaign {
        seeds: arguments.from..arguments.from.saturating_add(arguments.seeds),
        threads: arguments.threads.unwrap_or(cores).max(1),
        limit: arguments.limit.map(|limit| Duration::try_from(limit).unwrap_or_default()),
        state: arguments.state,
    };
    match campaign.run(report) {
        Ok(progress) => {
            let left = campaign.seeds.end.saturating_sub(progress.next);
            print!("{}", progress.reached);
            println!("{progress}, {left} left: all invariants hold");
            ExitCode::SUCCESS
        }
        Err(CampaignError::Violated(seed)) => {
            show(&format!("--seed {seed}"), simulate(seed, true).map(drop));
            ExitCode::FAILURE
        }
        Err(CampaignError::State(error)) => {
            let cause = std::error::Error::source(&error);
            eprintln!("{error}{}", cause.map_or(String::new(), |cause| format!(": {cause}")));
            ExitCode::from(2)
        }
    }
}

fn report(progress: &Progress) {
    if progress.next.is_multiple_of(10_000) {
        println!("{progress}");
    }
}

/// Prints the history of a run that violated an invariant.
fn show(arguments: &str, verdict: Result<(), Violation>) -> ExitCode {
    let Err(violation) = verdict else {
        println!("{arguments}: all invariants hold");
        return ExitCode::SUCCESS;
    };
    for line in &violation.history {
        println!("{line}");
    }
    println!("\n{arguments} violates:");
    for what in &violation.what {
        println!("  {what}");
    }
    println!("\n{}", reproduce_with(arguments));
    ExitCode::FAILURE
}
