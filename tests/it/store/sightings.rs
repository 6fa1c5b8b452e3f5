//! What was seen last, in every store.

use shared::store::{Sighting, Sightings};

use super::*;

async fn what_was_seen_last_replaces_what_was_seen_before(sightings: &dyn Sightings) {
    assert_eq!(sightings.sightings().await.expect("a read"), []);
    let webhook = |host: &str| Sighting::Webhook { host: host.to_owned() };
    let later = noon() + SignedDuration::from_secs(1);
    for (sighting, at) in [
        (webhook("b.example"), noon()),
        (Sighting::Sweep, noon()),
        (webhook("a.example"), noon()),
        (webhook(""), noon()),
        (webhook("b.example"), later),
    ] {
        sightings.note(&sighting, at).await.expect("a write");
    }
    let mut seen = sightings.sightings().await.expect("a read");
    seen.sort();
    let expected = [
        (webhook(""), noon()),
        (webhook("a.example"), noon()),
        (webhook("b.example"), later),
        (Sighting::Sweep, noon()),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn sightings_are_stored_on_dynamodb() {
    let table = Table::new().await;
    what_was_seen_last_replaces_what_was_seen_before(&*table.sightings).await;
}

#[tokio::test]
async fn sightings_are_stored_on_the_wire() {
    what_was_seen_last_replaces_what_was_seen_before(&*wire::store()).await;
}

#[tokio::test]
async fn sightings_are_stored_in_memory() {
    let table = memory_store::MemoryStore::default();
    what_was_seen_last_replaces_what_was_seen_before(&table).await;
}
