//! The recent states that a record keeps, its debug text, and its stored format.

use serde_json::json;
use uuid::Uuid;

use super::super::decision::{Decision, NextVersion};
use super::super::event::Cause;
use super::super::observation::Observation;
use super::super::observe::observe;
use super::*;

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn observed(current: Option<&Record>, status: &str, now: Timestamp) -> Record {
    let observation: Observation = serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver",
        "saasSubscriptionStatus": status,
        "beneficiary": { "emailId": "a@contoso.example", "tenantId": Uuid::from_u128(7) },
    }))
    .expect("an observation");
    match observe(current, &observation, &Cause::Reconciliation, now) {
        Ok(Decision::Commit(NextVersion { record, .. })) => record,
        other => panic!("nothing is committed: {other:?}"),
    }
}

#[test]
fn only_a_change_of_a_billed_value_adds_a_recent_state() {
    let first = observed(None, "Subscribed", noon());
    let pending = "the pending state before it";
    assert_eq!((first.recent_states.len(), first.changed_at), (1, Some(noon())), "{pending}");
    let later = noon() + SignedDuration::from_secs(1);
    let noted = first.reaffirm(later).record;
    assert_eq!((noted.recent_states.len(), noted.changed_at), (1, Some(noon())), "bookkeeping");
    let suspended = observed(Some(&noted), "Suspended", later);
    assert_eq!((suspended.recent_states.len(), suspended.changed_at), (2, Some(later)));
}

#[test]
fn a_status_is_dated_by_its_change_and_not_by_the_first_look() {
    let [later, last] = [1, 2].map(|hours| noon() + SignedDuration::from_hours(hours));
    let first = observed(None, "Suspended", noon());
    assert_eq!(first.status_since(), None, "it may have been suspended for long");
    assert_eq!(first.reaffirm(later).record.status_since(), None);
    let back = observed(Some(&first), "Subscribed", later);
    assert_eq!(back.status_since(), Some(later));
    assert_eq!(back.reaffirm(last).record.status_since(), Some(later), "bookkeeping");
    let ended = observed(Some(&back), "Unsubscribed", last);
    assert_eq!((ended.status_since(), ended.ended_at()), (Some(last), Some(last)));
    let restored = Record { is_unconfirmed: true, ..first };
    assert_eq!(observed(Some(&restored), "Unsubscribed", last).status_since(), None);
}

#[test]
fn a_recent_state_is_dropped_once_the_window_is_over() {
    let first = observed(None, "Subscribed", noon());
    let suspended = observed(Some(&first), "Suspended", noon());
    let after = noon() + SETTLING_WINDOW;
    assert_eq!(suspended.reaffirm(after).record.recent_states.len(), 0);
    assert!(!suspended.left_recently(&Status::Subscribed, after));
    let before = after - SignedDuration::from_nanos(1);
    assert!(suspended.left_recently(&Status::Subscribed, before));
}

#[test]
fn the_debug_text_shows_only_a_persons_tenant() {
    let text = format!("{:?}", observed(None, "Subscribed", noon()));
    assert!(text.contains(&Uuid::from_u128(7).to_string()), "{text}");
    assert!(!text.contains("contoso.example"), "{text}");
}

/// As written by version 0.1.0: the names are a contract with the table.
#[test]
fn a_record_keeps_the_member_names_of_the_stored_format() {
    let stored = json!({
        "subscription": {
            "id": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11", "offerId": "offer", "planId": "gold",
            "saasSubscriptionStatus": "Subscribed", "quantity": 20,
            "term": {}, "beneficiary": {}, "purchaser": {}, "isFreeTrial": false,
        },
        "version": 4, "updatedAt": "2026-03-10T12:00:00Z", "changedAt": "2026-03-10T12:00:00Z",
        "pendingOperation": {
            "id": "c0a1e9d4-7b1f-4a53-8f9e-2d6b5a4c3e22", "action": "ChangePlan",
            "since": "2026-03-10T12:00:00Z",
            "decision": { "verdict": "reject", "by": "rules", "reason": "a downgrade" },
        },
        "deadlineAnnounced": false,
        "bound": { "role": "beneficiary", "rule": "tenantAndObject", "at": "2026-03-10T11:00:00Z" },
        "signUp": { "contactEmail": "a@contoso.example", "language": "sv" },
        "superseded": [{
            "at": "2026-03-10T12:00:00Z",
            "held": { "status": "Subscribed", "planId": "silver", "quantity": 20,
                      "termStart": null, "termEnd": null },
        }],
    });
    let record: Record = serde_json::from_value(stored.clone()).expect("a stored record");
    assert!(record.pending_operation.as_ref().is_some_and(|pending| pending.ruling.is_some()));
    assert!(record.identified_as.is_some() && record.recent_states.len() == 1);
    assert_eq!(serde_json::to_value(&record).expect("JSON"), stored);
}
