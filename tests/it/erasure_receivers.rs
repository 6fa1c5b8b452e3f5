//! Which receivers an erasure waits for.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;
use shared::domain::{
    Cause, Decision, ErasureRefused, Observation, Position, Record, SubscriptionId, observe,
};
use shared::flows::erasure::{ErasureError, ErasureFlow};
use shared::flows::ledger::Ledger;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{
    Commit, Cursor, CursorState, Outbox as _, ReceiverState, Receivers as _, Store as _, Target,
    Trouble,
};

use crate::delivery_env::{DeliveryEnv, id};

fn crm() -> Target {
    "crm".parse().expect("a name")
}

/// A subscription that ended eight days ago. The endpoint without a name has all of its events.
async fn ended(env: &DeliveryEnv) -> Record {
    let events = env.record(1, 10).await;
    env.stream(&events).await;
    env.clock.advance(SignedDuration::from_mins(5));
    let current = env.table.record(id(1)).expect("a record");
    let observed: Observation = serde_json::from_value(json!({
        "id": id(1), "offerId": "offer", "planId": "plan-10", "quantity": 10,
        "saasSubscriptionStatus": "Unsubscribed",
    }))
    .expect("an observation");
    let decided = observe(Some(&current), &observed, &Cause::Reconciliation, env.now());
    let Ok(Decision::Commit(change)) = decided else { panic!("no end: {decided:?}") };
    let events = change.events.clone();
    let commit = Commit { next: Some(change), mark: None };
    env.table.commit(id(1), &commit).await.expect("committed");
    env.stream(&events).await;
    env.clock.advance(SignedDuration::from_hours(8 * 24));
    env.table.record(id(1)).expect("a record")
}

async fn erase(env: &DeliveryEnv, record: Record) -> Result<Record, ErasureError> {
    let table = Arc::new(env.table.clone());
    let flow = ErasureFlow {
        ledger: Ledger::new(table.clone(), env.clock.clone()),
        erasures: table.clone(),
        outbox: table.clone(),
        annotations: table.clone(),
        receivers: [Target::Endpoint, crm()].map(ReceiverSettings::of_all).into(),
        receiver_states: table,
    };
    flow.erase(record, &Cause::Management { principal: None }, |_| true).await
}

#[tokio::test]
async fn an_erasure_waits_for_what_is_parked_for_a_receiver_and_not_for_an_earlier_one_of_its_name()
{
    let env = DeliveryEnv::new();
    let record = ended(&env).await;
    let added = ReceiverState::added(env.now(), None);
    env.table.save_receiver(crm(), &added).await.expect("saved");
    let trouble = Trouble { since: env.now(), attempts: 9, last: String::new() };
    let parked = Cursor {
        revision: 1,
        delivered: Position::default(),
        state: CursorState::Parked { at: env.now(), trouble },
        receiver_added_at: added.added_at,
        ..Cursor::default()
    };
    let id: SubscriptionId = id(1);
    env.table.save_cursor(id, crm(), &parked).await.expect("saved");
    let refused = erase(&env, record.clone()).await;
    assert!(
        matches!(refused, Err(ErasureError::Refused(ErasureRefused::Undelivered))),
        "{refused:?}"
    );
    let earlier = added.added_at.map(|at| at - SignedDuration::from_hours(1));
    let left = Cursor { revision: 2, receiver_added_at: earlier, ..parked };
    env.table.save_cursor(id, crm(), &left).await.expect("saved");
    assert!(erase(&env, record).await.expect("erased").is_erased());
}
