//! Two thousand seeds, and every trouble at every effect of every flow.

use clap::ValueEnum;
use simulation::{Flow, every_trouble, replay, simulate};

/// As many as the tests run; `cargo run --release -p simulation` runs more.
const SEEDS: u64 = 2000;

fn violates_nothing(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if simulate(seed, false).is_err() {
            let violation = simulate(seed, true).expect_err("the same seed is the same run");
            panic!(
                "{}\n\nseed {seed} violates {:#?}\n{}",
                violation.history.join("\n"),
                violation.what,
                replay(&format!("--seed {seed}"))
            );
        }
    }
}

#[test]
fn no_seed_of_the_first_half_violates_anything() {
    violates_nothing(0..SEEDS / 2);
}

#[test]
fn no_seed_of_the_second_half_violates_anything() {
    violates_nothing(SEEDS / 2..SEEDS);
}

/// What a storm is for. Were it to pass one of these by, nothing violated would say nothing about it.
const REACHED: [&str; 48] = [
    "[\"Purchased\"",
    "\"Activated\"",
    "\"ActivationRequested\"",
    "\"PlanChanged\"",
    "\"QuantityChanged\"",
    "\"ChangeRejected\"",
    "\"Renewed\"",
    "\"DetailsChanged\"",
    "\"Suspended\"",
    "\"Reinstated\"",
    "\"Unsubscribed\"",
    "\"ActivationDeadlineApproaching\"",
    "mark Some(Accepted)",
    "mark Some(Rejected)",
    "mark Some(Followed)",
    "      Conflict",
    "      AlreadyMarked",
    "table: load !! Refused",
    "table: load with mark !! Lost",
    "table: load many !! TimedOutBefore",
    "mark Some(Accepted) !! ",
    "mark Some(Rejected) !! ",
    "table: save cursor !! Lost",
    "table: settle !! Refused",
    "/activate !! TimedOutAfter",
    "/oauth2/v2.0/token !! Broken",
    "/keys !! Broken",
    "/resolve !! Refused",
    "POST /events !! Lost",
    "attempt 1 503",
    "attempt 1 400",
    "attempt 3 200",
    "< Forged 401",
    "< Edited 200",
    "< Manage 202",
    "< Manage 409",
    "< Manage 504",
    "< Keyed(\"change-1\") 202",
    "table: keep request",
    " !! Throttled",
    " !! Denied",
    "page_size: 1,",
    "< Reconcile finished: false",
    "< Reconcile was killed",
    "< Sweep was killed",
    "the product: Confused",
    "reads are",
    "what is due is lost",
];

#[test]
fn the_storm_reaches_everything_it_is_for() {
    let mut missing = REACHED.to_vec();
    for seed in 0..SEEDS / 2 {
        let history = simulation::history(seed);
        missing.retain(|reached| !history.iter().any(|line| line.contains(reached)));
        if missing.is_empty() {
            return;
        }
    }
    panic!("never reached: {missing:?}");
}

/// Seeds that showed a fault of the code, as the storm was then. Each fault has a test of its own by now.
const FOUND: [u64; 5] = [
    // A rejection that Microsoft had not heard, and never heard, was told as one.
    2940, 3825, 11_050,
    // A rejection was told a second time, since one of two deliveries hadn't heard of the other's.
    412_350,
    // A change was recorded over the next one, which had come into force meanwhile.
    733_545,
];

#[test]
fn no_seed_that_showed_a_fault_shows_it_again() {
    for seed in FOUND {
        violates_nothing(seed..seed + 1);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [3, 1414, 99_991] {
        assert_eq!(simulation::history(seed), simulation::history(seed), "seed {seed}");
    }
}

fn no_trouble_violates_anything(flows: impl Iterator<Item = &'static Flow>) {
    for flow in flows {
        match every_trouble(*flow) {
            // A flow has at least one effect, and each trouble is tried at each.
            Ok(runs) => assert!(runs > 20, "{flow:?} was run {runs} times"),
            Err(broken) => panic!(
                "{}\n\n{:?} violates {:#?}\n{}",
                broken.violation.history.join("\n"),
                broken.trouble,
                broken.violation.what,
                replay(&broken.trouble.arguments())
            ),
        }
    }
}

#[test]
fn no_trouble_at_any_effect_of_every_other_flow_violates_anything() {
    no_trouble_violates_anything(Flow::value_variants().iter().step_by(2));
}

#[test]
fn no_trouble_at_any_effect_of_the_flows_between_violates_anything() {
    no_trouble_violates_anything(Flow::value_variants().iter().skip(1).step_by(2));
}
