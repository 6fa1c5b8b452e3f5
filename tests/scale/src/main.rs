//! Proves that the reconciliation ends right among many subscriptions, and prints what it costs:
//! `cargo run --release -p scale`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use scale::{
    Customers, Figures, Latency, Schedule, Troubles, on_the_line, process, reconcile_here,
    simulated, world, wrongly_told,
};

/// Runs the reconciliation among many subscriptions, with everything that can go wrong. Then it
/// measures undisturbed runs. It exits 1 if a record is wrong in the end, if an event was recorded
/// twice or never, or if memory grows with the number of subscriptions.
#[derive(Parser)]
struct Arguments {
    /// How many subscriptions there are.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(2000..))]
    subscriptions: u64,
    /// Everything is drawn from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    only: Option<Only>,
}

#[derive(Subcommand)]
enum Only {
    /// Only the end state, with everything that can go wrong.
    Prove,
    /// Only an import of customers from before, with everything that can go wrong.
    Import,
    /// Only time, memory and units of the table.
    Measure,
    /// Runs the function once as the environment's settings say, and prints what the process used.
    #[command(hide = true)]
    Reconcile,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let customers = Customers::new(arguments.seed, arguments.subscriptions);
    let throttled = Troubles { throttled_one_in: Some(200), failing_place: None };
    let outcome = match arguments.only {
        Some(Only::Reconcile) => reconcile(),
        Some(Only::Prove) => prove(customers, throttled),
        Some(Only::Import) => import(customers, throttled),
        Some(Only::Measure) => measure(customers),
        None => prove(customers, throttled)
            .and_then(|()| import(customers, throttled))
            .and_then(|()| measure(customers)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

fn reconcile() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let used = runtime.map_err(|error| error.to_string())?.block_on(reconcile_here())?;
    println!("{used}");
    Ok(())
}

/// The end state, first with a list that can be read, then with a page that always fails.
fn prove(customers: Customers, throttled: Troubles) -> Result<(), String> {
    println!(
        "{} subscriptions: 1 in {} has changed, 1 in {} can't be read, 1 in {} is new; 429s with \
         Retry-After, and the host ends slices at any request",
        customers.count, customers.drift_one_in, customers.unreadable_one_in, customers.new_one_in
    );
    end_state("the whole list can be read", customers, throttled)?;
    let failing = Troubles { failing_place: Some(customers.count * 3 / 5), ..throttled };
    end_state("a page after three fifths always fails", customers, failing)
}

/// The product hears of what waits for its activation and of what is bought meanwhile, and of nothing else.
fn import(customers: Customers, troubles: Troubles) -> Result<(), String> {
    let begun = Instant::now();
    let customers = Customers::from_before(customers.seed, customers.count);
    simulated(async {
        let world = world(customers, troubles).await;
        let latency = Latency::of_page(Duration::from_millis(500));
        let mut schedule = Schedule::new(&world, customers.seed, latency, Some(1));
        for _ in 0..3 {
            schedule.slice().await;
        }
        world.microsoft().customers.count += 1;
        let wrong = schedule.until_right(20).await;
        schedule.deliver().await;
        let told = wrongly_told(&world);
        println!(
            "  an import: {} wrong after {} slices, the product was told of {} and wrongly of {}; \
             simulated in {:.0} s",
            wrong.count,
            schedule.course.slices,
            world.product().len(),
            told.count,
            begun.elapsed().as_secs_f64()
        );
        let named: Vec<_> = wrong.named.into_iter().chain(told.named).collect();
        if named.is_empty() { Ok(()) } else { Err(named.join("\n")) }
    })
}

fn end_state(title: &str, customers: Customers, troubles: Troubles) -> Result<(), String> {
    let begun = Instant::now();
    simulated(async {
        let world = world(customers, troubles).await;
        let latency = Latency::of_page(Duration::from_millis(500));
        let mut schedule = Schedule::new(&world, customers.seed, latency, Some(1));
        let wrong = schedule.until_right(200).await;
        println!(
            "  {title}: {} wrong after {} runs, {} slices ({} killed, {} failed), {} of slices; \
             simulated in {:.0} s",
            wrong.count,
            schedule.course.runs,
            schedule.course.slices,
            schedule.course.killed,
            schedule.course.failed,
            span(schedule.course.busy.try_into().unwrap_or_default()),
            begun.elapsed().as_secs_f64()
        );
        if wrong.count > 0 {
            return Err(wrong.named.join("\n"));
        }
        schedule.spare();
        world.table().usage();
        let idle = schedule.run(1000).await.ok_or("the next run never ended")?;
        let written = world.table().usage().written;
        println!("    the next run: {idle:?}; written: {written:?}");
        // A run that could not read an entry, or the whole list, leaves a record of it. After a broken list, it
        // notes what it has compared.
        let notes = ["RUN RECONCILIATION", "RUN ROUND", "SUB COMPARED"];
        let more = |key: &String| !notes.contains(&key.as_str());
        let is_idle = idle.repaired == 0 && !written.keys().any(more);
        is_idle.then_some(()).ok_or("a run with nothing to repair wrote more".to_owned())
    })
}

fn measure(customers: Customers) -> Result<(), String> {
    let of = |count| Customers { count, ..customers };
    println!("\nIn a process of its own, with Microsoft and the table on this machine:");
    let binary: PathBuf = std::env::current_exe().map_err(|error| error.to_string())?;
    let few = process(&binary, of(2000))?;
    let many = process(&binary, customers)?;
    let all = process(&binary, Customers { drift_one_in: 1, ..of(2000) })?;
    for (count, process) in [(2000, few), (customers.count, many)] {
        println!(
            "  {count:>9} subscriptions: {:>6} KB of memory, {:>7.0} subscriptions a second of \
             processor time",
            process.most_resident,
            process.examined as f64 / process.busy.as_secs_f64(),
        );
    }
    println!(
        "  if all have changed: {:.0} repairs a second of processor time",
        all.repaired as f64 / all.busy.as_secs_f64()
    );

    println!("\nIn simulated time (a page as below, another call half of it, the table 5 ms):");
    println!("  {:>12} {:>14} {:>14}   how", "", "0.5 s a page", "2 s a page");
    let pages = [Duration::from_millis(500), Duration::from_secs(2)];
    let runs = |customers: Customers| -> Result<Vec<Figures>, String> {
        pages.iter().map(|page| Figures::of(customers, *page)).collect()
    };
    let (small, large) = (runs(of(10_000))?, runs(of(100_000))?);
    for (count, how) in [
        (10_000, "simulated"),
        (100_000, "simulated"),
        (1_000_000, "on the line through both"),
        (10_000_000, "on the line through both"),
    ] {
        let took = |index: usize| match count {
            10_000 => small[index].took,
            100_000 => large[index].took,
            more => on_the_line(&small[index], &large[index], more),
        };
        println!("  {count:>12} {:>14} {:>14}   {how}", span(took(0)), span(took(1)));
    }
    let changed = runs(Customers { drift_one_in: 1, ..of(2000) })?;
    for (what, all) in [("subscriptions", false), ("repairs", true)] {
        let rate = |index: usize| {
            let figures = if all { &changed[index] } else { &large[index] };
            let count = if all { figures.repaired } else { figures.examined };
            format!("{:.1} /s", count as f64 / figures.took.as_secs_f64())
        };
        println!("  {what:>13} {:>13} {:>14}", rate(0), rate(1));
    }

    let still = Figures::of(Customers { drift_one_in: u64::MAX, ..of(10_000) }, pages[0])?;
    let (read, write) = still.units_each();
    println!("\nUnits of the table: {read:.2} read and {write:.3} written for a subscription,");
    let repairs = changed[0].repaired as f64;
    let (reads, writes) = (changed[0].usage.units.read, changed[0].usage.units.write);
    println!(
        "and {:.1} read and {:.1} written more for a repair.",
        (reads - read * 2000.0) / repairs,
        (writes - write * 2000.0) / repairs
    );
    let growth = many.most_resident as f64 / few.most_resident as f64;
    if growth > 1.1 {
        return Err(format!("memory grows with the number of subscriptions: by {growth:.2}"));
    }
    Ok(())
}

/// Hours and minutes, or seconds.
fn span(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds {
        0..600 => format!("{seconds} s"),
        600..36_000 => format!("{} min", seconds / 60),
        _ => format!("{:.1} h", took.as_secs_f64() / 3600.0),
    }
}
