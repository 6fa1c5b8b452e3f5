//! Runs seeds: `cargo run --release -p simulation -- --seeds 1000000`.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use simulation::{Fault, Flow, Trouble, Violation, replay, simulate, trouble};

// A quarter of a seed's time goes into small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the simulation over many seeds, and reports the first that violates anything.
#[derive(Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run this one seed alone, and print its history.
    #[arg(long)]
    seed: Option<u64>,
    /// Run this flow alone, with one of its effects in trouble, and print its history.
    #[arg(long, requires = "effect", conflicts_with = "seed")]
    flow: Option<Flow>,
    /// Which effect, counted from zero.
    #[arg(long, requires = "flow")]
    effect: Option<usize>,
    /// What goes wrong with it. If not given: nothing, but everybody else comes first.
    #[arg(long, requires = "flow")]
    fault: Option<Fault>,
    /// Threads; one per core if not given.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        return show(&format!("--seed {seed}"), simulate(seed, true));
    }
    if let (Some(flow), Some(effect)) = (arguments.flow, arguments.effect) {
        let chosen = Trouble { flow, effect, fault: arguments.fault };
        return show(&chosen.arguments(), trouble(chosen));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let failed = AtomicU64::new(u64::MAX);
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.unwrap_or(cores) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    if simulate(seed, false).is_err() {
                        failed.fetch_min(seed, Ordering::Relaxed);
                        stop.store(true, Ordering::Relaxed);
                    }
                    let done = seed + 1 - arguments.from;
                    if done.is_multiple_of(10_000) {
                        println!(
                            "{done} seeds, {:.0} a second",
                            done as f64 / begun.elapsed().as_secs_f64()
                        );
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    if failed < u64::MAX {
        show(&format!("--seed {failed}"), simulate(failed, true));
        return ExitCode::FAILURE;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rate = arguments.seeds as f64 / seconds;
    println!("{} seeds in {seconds:.1} s, {rate:.0} a second: nothing violated", arguments.seeds);
    ExitCode::SUCCESS
}

/// Prints what happened in a run that violated anything.
fn show(arguments: &str, verdict: Result<(), Violation>) -> ExitCode {
    let Err(violation) = verdict else {
        println!("{arguments}: nothing violated");
        return ExitCode::SUCCESS;
    };
    for line in &violation.history {
        println!("{line}");
    }
    println!("\n{arguments} violates:");
    for what in &violation.what {
        println!("  {what}");
    }
    println!("\n{}", replay(arguments));
    ExitCode::FAILURE
}
