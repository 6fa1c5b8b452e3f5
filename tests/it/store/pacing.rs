//! The time of a target, in every store.

use std::collections::BTreeSet;

use shared::store::{Pacing, Target};

use super::*;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn after(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

async fn no_time_is_reserved_twice(pacing: &dyn Pacing) {
    let reserve = async |target, from, until| {
        pacing.reserve(target, after(from), after(until), SECOND).await.expect("the table answers")
    };
    for (target, from, until, begins) in [
        (Target::Endpoint, 0, 30, Some(0)),
        (Target::Endpoint, 0, 30, Some(1)),
        // By a clock that is behind.
        (Target::Endpoint, -60, 30, Some(2)),
        (Target::EventBus, 0, 30, Some(0)),
        // Nothing is reserved where it would begin too late.
        (Target::Endpoint, 0, 3, None),
        (Target::Endpoint, 0, 4, Some(3)),
        // Time that has passed is lost.
        (Target::Endpoint, 20, 30, Some(20)),
        (Target::Endpoint, 0, 30, Some(21)),
    ] {
        let reserved = reserve(target, from, until).await;
        assert_eq!(reserved, begins.map(after), "{target:?} from {from} until {until}");
    }
}

async fn concurrent_deliveries_reserve_different_times(pacing: &dyn Pacing) {
    let reserve = || pacing.reserve(Target::Endpoint, noon(), after(1000), SECOND);
    let reserved = tokio::join!(reserve(), reserve(), reserve(), reserve());
    let reserved = [reserved.0, reserved.1, reserved.2, reserved.3];
    let begins: Vec<_> = reserved.into_iter().filter_map(|one| one.expect("an answer")).collect();
    let different: BTreeSet<_> = begins.iter().collect();
    assert!(!begins.is_empty() && different.len() == begins.len(), "{begins:?}");
    assert_eq!(different.first(), Some(&&noon()));
    let last = after(begins.len() as i64 - 1);
    assert_eq!(different.last(), Some(&&last), "no time is lost");
}

#[tokio::test]
async fn time_is_reserved_on_dynamodb() {
    let table = Table::new().await;
    no_time_is_reserved_twice(&*table.pacing).await;
    let table = Table::new().await;
    concurrent_deliveries_reserve_different_times(&*table.pacing).await;
}

#[tokio::test]
async fn time_is_reserved_on_the_wire() {
    no_time_is_reserved_twice(&*wire::store()).await;
    concurrent_deliveries_reserve_different_times(&*wire::store()).await;
}

#[tokio::test]
async fn time_is_reserved_in_memory() {
    no_time_is_reserved_twice(&memory_store::MemoryStore::default()).await;
    concurrent_deliveries_reserve_different_times(&memory_store::MemoryStore::default()).await;
}
