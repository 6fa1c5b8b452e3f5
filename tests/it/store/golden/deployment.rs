//! Items of the deployment as a whole that began with 0.2.0.

use shared::store::Target;

use super::reads::{Written, assert_read, key, plain, tables};
use super::*;

#[tokio::test]
async fn the_first_start_the_paces_the_offers_the_examination_and_the_states_of_receivers_are_read()
{
    for Written { items, table, .. } in tables().await {
        let stored = |kind| items.get(kind).map_or(&[][..], Vec::as_slice);
        let first = table.checkpoints.first_start().await.expect("a read");
        let [item] = stored(&ItemKind::FirstStart) else { continue };
        assert_read(first, &plain(&item["body"]));
        for item in stored(&ItemKind::Pace) {
            let target: Target = key(item, "sk").parse().expect("a target");
            let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
            let next = table.pacing.reserve(target, from, until, SignedDuration::ZERO).await;
            let next = next.expect("a read");
            assert_eq!(json!(next), plain(&item["body"])["freeFrom"]);
        }
        let offers = table.offers.offers().await.expect("a read");
        assert!(stored(&ItemKind::Offers).len() < 2, "there is one item of all offers");
        for item in stored(&ItemKind::Offers) {
            assert_read(Some(offers.clone()), &plain(&item["body"]));
        }
        let examination = table.examinations.last_examination().await.expect("a read");
        let [item] = stored(&ItemKind::Examination) else { continue };
        assert_read(examination, &plain(&item["body"]));
        let states = table.receivers.receivers().await.expect("a read");
        assert_eq!(states.len(), stored(&ItemKind::Receiver).len());
        for item in stored(&ItemKind::Receiver) {
            let target: Target = key(item, "sk").parse().expect("a target");
            assert_read(states.get(&target).cloned(), &plain(&item["body"]));
        }
    }
}
