//! An erasure that is cut off anywhere is completed, by a repeated call or by the reconciliation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use shared::domain::{Cause, SubscriptionId};
use shared::flows::erasure::{ErasureError, ErasureFlow};
use shared::flows::ledger::Ledger;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::Target;

use crate::erasure_env::{DAY, end, erased, find, items};
use crate::restore_env::{CutOff, RestoreEnv};

/// The words of the person in what these tests record.
const WORDS: [&str; 3] = ["adele@contoso.example", "Contoso production", "C-4711"];

/// A subscription with a reference that ended eight days ago.
async fn ended(env: &RestoreEnv) -> uuid::Uuid {
    let id = env.env.active(emulator::Purchase::per_seat("basic", 10)).await;
    let noted = json!({ "reference": "C-4711" });
    assert_eq!(env.env.change(id, &noted).await.status, http::StatusCode::OK);
    end(&env.env, id).await;
    env.env.advance(8 * DAY);
    env.tell().await;
    id
}

async fn erase_over(
    env: &RestoreEnv,
    cut: Arc<CutOff>,
    id: uuid::Uuid,
) -> Result<(), ErasureError> {
    let table = env.table_over(cut);
    let flow = ErasureFlow {
        ledger: Ledger::new(table.store.clone(), env.env.system.clock.clone()),
        erasures: table.erasures,
        outbox: table.outbox,
        annotations: table.annotations,
        receivers: vec![ReceiverSettings::of_all(Target::Endpoint)],
        receiver_states: table.receivers,
    };
    let record = table.store.load(SubscriptionId(id)).await?.expect("a record");
    flow.erase(record, &Cause::Management { principal: None }, |_| true).await.map(drop)
}

#[tokio::test]
async fn an_erasure_that_was_cut_off_anywhere_is_completed() {
    let env = RestoreEnv::new().await;
    let id = ended(&env).await;
    let copy = env.copy().await;
    let names = env.env.event_names(id).await;
    let (mut cuts, mut tombstones) = (0, 0);
    for (loses_the_answer, by_the_reconciliation) in
        [(false, false), (true, false), (false, true), (true, true)]
    {
        for requests in 0.. {
            env.put_back(&copy).await;
            let left = AtomicU32::new(requests);
            let cut = Arc::new(CutOff { left, loses_the_answer, was_cut: false.into() });
            let ended = erase_over(&env, cut.clone(), id).await;
            if !cut.was_cut.load(Ordering::SeqCst) {
                ended.expect("nothing was cut off");
                assert_eq!(find(&items(&env.env).await, &WORDS), None);
                break;
            }
            cuts += 1;
            ended.expect_err("it was cut off");
            let has_begun = env.env.record(id).await.expect("a record").is_erased();
            tombstones += u32::from(has_begun);
            if has_begun && by_the_reconciliation {
                env.env.system.reconcile().await.expect("a round");
            } else {
                erased(&env.env, id).await;
            }
            assert_eq!(find(&items(&env.env).await, &WORDS), None, "after {requests} requests");
            let record = env.env.record(id).await.expect("a record");
            assert!(record.is_erased() && !record.is_erasing(), "{record:?}");
            let mut expected = names.clone();
            expected.push("PersonalDataErased");
            assert_eq!(env.env.event_names(id).await, expected, "once");
        }
    }
    assert!(cuts > 30 && tombstones > 12, "{cuts}, {tombstones}");
}

/// A patch that has read the subscription before the erasure must not save its words after it.
#[tokio::test]
async fn a_patch_that_meets_an_erasure_leaves_nothing() {
    let env = RestoreEnv::new().await;
    let id = env.env.active(emulator::Purchase::flat_rate("silver")).await;
    end(&env.env, id).await;
    env.env.advance(8 * DAY);
    env.tell().await;
    let table = env.table_over(Arc::new(shared::host::http_client::HttpClient::default()));
    let read = table.annotations.annotations(SubscriptionId(id)).await.expect("a read");
    erased(&env.env, id).await;
    let patch = shared::domain::AnnotationPatch::new(Some(Some("C-4711".to_owned())), None);
    let late = patch.expect("a patch").apply(read.as_ref(), env.env.system.clock.now(), None);
    let late = late.expect("valid").expect("a change");
    let refused = table.annotations.save_annotations(SubscriptionId(id), &late).await;
    assert!(matches!(refused, Err(shared::store::SaveError::Conflict)), "{refused:?}");
    let listed = table.erasures.erasures(None).await.expect("a page").items;
    let record = table.store.load(SubscriptionId(id)).await.expect("a read").expect("a record");
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].subscription.0, Some(listed[0].erased_at)), (id, record.erased_at));
}
