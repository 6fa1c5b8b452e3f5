//! Two thousand seeds, and every fault at every effect of every flow.

use simulation::{Flow, every_fault, simulate};

/// As many as the tests run; `cargo run --release -p simulation` runs more.
const SEEDS: u64 = 2000;

fn violates_nothing(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if simulate(seed, false).is_err() {
            let violation = simulate(seed, true).expect_err("the same seed is the same run");
            panic!(
                "{}\n\nseed {seed} violates {:#?}\nreplay: cargo run --release -p simulation -- --seed {seed}",
                violation.history.join("\n"),
                violation.what
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

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [3, 1414, 99_991] {
        assert_eq!(simulation::history(seed), simulation::history(seed), "seed {seed}");
    }
}

#[test]
fn no_fault_at_any_effect_of_any_flow_violates_anything() {
    for flow in Flow::ALL {
        match every_fault(flow) {
            // A flow has at least one effect, and each fault is tried at each.
            Ok(runs) => assert!(runs > 14, "{flow:?} was run {runs} times"),
            Err(broken) => panic!(
                "{}\n\n{:?}: {} at effect {} violates {:#?}",
                broken.violation.history.join("\n"),
                broken.flow,
                broken.fault,
                broken.effect,
                broken.violation.what
            ),
        }
    }
}
