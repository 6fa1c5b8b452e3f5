//! Runs the simulation: `cargo sim --seeds 1000000`.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use simulation::{Fault, Flow, Injection, Violation, inject, reproduce_with, simulate};

// Small allocations take a quarter of a seed's time with the system allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the simulation for many seeds and prints the history of the first seed that violates an
/// invariant.
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
        show(&format!("--seed {failed}"), simulate(failed, true).map(drop));
        return ExitCode::FAILURE;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rate = arguments.seeds as f64 / seconds;
    println!(
        "{} seeds in {seconds:.1} s, {rate:.0} a second: all invariants hold",
        arguments.seeds
    );
    ExitCode::SUCCESS
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
