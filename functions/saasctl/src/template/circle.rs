//! Finds resources that wait for each other.

use std::collections::{BTreeMap, BTreeSet};

/// The resources that each resource refers to.
pub(super) type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// The resources of a circle; empty if there is none.
pub(super) fn circle(mut dependencies: Dependencies) -> BTreeSet<String> {
    // CloudFormation makes what waits for nothing, again and again.
    loop {
        let waits = |(_, on): &(&String, &BTreeSet<String>)| on.is_empty();
        let made: BTreeSet<String> =
            dependencies.iter().filter(waits).map(|(id, _)| id.clone()).collect();
        if made.is_empty() {
            return dependencies.into_keys().collect();
        }
        dependencies.retain(|id, _| !made.contains(id));
        for on in dependencies.values_mut() {
            on.retain(|id| !made.contains(id));
        }
    }
}
