//! Each of Microsoft's ways occurs in the storms.

use emulator::way;

/// A rare way occurs once in some hundred seeds.
const SEEDS: u64 = 2000;

/// Ways that a storm never leads to: the product sends no `Failure` to a reinstatement, and a record
/// can't keep up with a status that is always unknown.
const NOT_IN_STORMS: [&str; 2] = [way::REFUSED_REINSTATEMENT, way::UNKNOWN_STATUS];

#[test]
fn every_way_of_microsofts_occurs() {
    let mut missing: Vec<_> =
        way::ALL.iter().filter(|way| !NOT_IN_STORMS.contains(way)).copied().collect();
    for seed in 0..SEEDS {
        let occurred = simulation::occurred(seed);
        missing.retain(|way| !occurred.contains_key(way));
        if missing.is_empty() {
            return;
        }
    }
    panic!("never occurred: {missing:?}");
}
