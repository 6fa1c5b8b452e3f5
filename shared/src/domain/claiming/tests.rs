//! What is unclaimed, who claims it, and what becomes of the buyer's answers.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::decision::NextVersion;
use super::super::identification::Role;
use super::super::import::{IMPORT_MARGIN, Import, ImportPolicy};
use super::super::observation::Observation;
use super::super::observe::observe;
use super::*;

const BUYER: Account =
    Account { tenant_id: Uuid::from_u128(5), object_id: Some(Uuid::from_u128(6)) };

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn seen(status: &str) -> Observation {
    let has_begun = status != "PendingFulfillmentStart";
    let term = json!({ "termUnit": "P1M", "startDate": "2026-03-04", "endDate": "2026-04-03" });
    serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver",
        "saasSubscriptionStatus": status, "term": has_begun.then_some(term),
    }))
    .expect("an observation")
}

fn decide(current: Option<&Record>, status: &str) -> Decision {
    observe(current, &seen(status), &Cause::Reconciliation, noon()).expect("enough is known")
}

fn commit(decision: Decision) -> NextVersion {
    match decision {
        Decision::Commit(next) => next,
        other => panic!("nothing is committed: {other:?}"),
    }
}

fn known(status: &str) -> Record {
    commit(decide(None, status)).record
}

/// The events by name, with a star where they say that the subscription is unclaimed.
fn told(next: &NextVersion) -> Vec<String> {
    let star = |event: &Event| if event.unclaimed { "*" } else { "" };
    next.events.iter().map(|event| format!("{}{}", event.kind.name(), star(event))).collect()
}

fn found(role: Role, matched_by: MatchedBy) -> Identification {
    Identification { role, matched_by }
}

fn named() -> Identification {
    found(Role::Beneficiary, MatchedBy::TenantAndObject)
}

/// A visit that finds nothing new at Microsoft.
fn visit(record: &Record, found: Identification) -> Decision {
    Decision::Unchanged.claiming(found, &BUYER, Some(record), &Cause::Landing, noon())
}

fn sign_up(contact: &str) -> SignUp {
    let (contact_email, language) = (contact.to_owned(), "sv".to_owned());
    SignUp { contact_email, fields: [].into(), language }
}

#[test]
fn what_microsoft_activated_by_itself_is_unclaimed_in_every_event_until_a_person_comes() {
    let bought = commit(decide(None, "Subscribed"));
    assert_eq!(told(&bought), ["Purchased*", "Activated*"]);
    assert_eq!(bought.record.claim, Some(Claim::Unclaimed));
    let suspended = commit(decide(Some(&bought.record), "Suspended"));
    assert_eq!(told(&suspended), ["Suspended*"]);

    let claimed = commit(visit(&suspended.record, named()));
    assert_eq!(told(&claimed), ["Claimed"]);
    let ended = commit(decide(Some(&claimed.record), "Unsubscribed"));
    assert_eq!(told(&ended), ["Unsubscribed"]);
}

#[test]
fn an_activation_that_somebody_asked_for_leaves_nothing_to_claim() {
    let pending = known("PendingFulfillmentStart");
    assert_eq!(pending.claim, None);
    let by_product = commit(pending.begin_activation(noon())).record;
    let by_buyer = commit(pending.request_activation(&Cause::Landing, noon())).record;
    let signed_up = commit(pending.keep_sign_up(&sign_up("a@b.example"), noon())).record;
    for (case, before) in
        [("the product", by_product), ("the buyer", by_buyer), ("answers alone", signed_up)]
    {
        let active = commit(decide(Some(&before), "Subscribed"));
        assert_eq!(told(&active), ["Activated"], "{case}");
        assert_eq!(active.record.claim, None, "{case}");
        assert_eq!(visit(&active.record, named()), Decision::Unchanged, "{case}");
    }
    let raced = commit(decide(Some(&pending), "Subscribed"));
    assert_eq!(told(&raced), ["Activated*"], "Microsoft was first");
}

#[test]
fn what_a_restore_may_have_forgotten_is_not_called_unclaimed() {
    let restored = known("PendingFulfillmentStart").raise(1_000);
    let active = commit(decide(Some(&restored), "Subscribed"));
    assert_eq!((told(&active), active.record.claim), (vec!["Activated".to_owned()], None));
}

#[test]
fn a_customer_from_before_is_not_unclaimed() {
    let mut old = serde_json::to_value(known("Subscribed").subscription).expect("JSON");
    old["created"] = json!(noon() - IMPORT_MARGIN - IMPORT_MARGIN);
    let old = serde_json::from_value(old).expect("an observation");
    let import = Import { started_at: noon(), policy: ImportPolicy::Announce };
    let next = commit(import.adopt(None, &old, &Cause::Reconciliation, noon()).expect("enough"));
    assert_eq!((told(&next), next.record.claim), (vec!["Imported".to_owned()], None));
}

#[test]
fn the_first_visit_claims_and_a_second_one_changes_nothing() {
    let bought = known("Subscribed");
    let claimed = commit(visit(&bought, named()));
    let [event] = &claimed.events[..] else { panic!("{:?}", claimed.events) };
    let claimant = Claimant {
        account: BUYER,
        role: Role::Beneficiary,
        matched_by: MatchedBy::TenantAndObject,
        at: noon(),
    };
    assert_eq!(event.kind, EventKind::Claimed { claimant });
    assert_eq!(event.cause, Cause::Landing);
    assert_eq!((event.version, event.index), (bought.version + 1, 0));
    assert_eq!(
        (event.before.as_ref(), &event.subscription),
        (Some(&bought.subscription), &bought.subscription)
    );
    assert_eq!(claimed.record.claim, Some(Claim::Claimed(claimant)));
    assert_eq!(claimed.record.subscription, bought.subscription);
    assert_eq!(
        visit(&claimed.record, found(Role::Purchaser, MatchedBy::Tenant)),
        Decision::Unchanged
    );
}

#[test]
fn a_visit_that_finds_the_purchase_itself_claims_it_in_the_same_version() {
    let first = decide(None, "Subscribed");
    let next = commit(first.claiming(named(), &BUYER, None, &Cause::Landing, noon()));
    assert_eq!(told(&next), ["Purchased*", "Activated*", "Claimed"]);
    let places: Vec<_> = next.events.iter().map(|event| (event.version, event.index)).collect();
    assert_eq!(places, [(1, 0), (1, 1), (1, 2)]);
}

#[test]
fn only_a_person_or_a_tenant_that_microsoft_names_claims_what_has_not_ended() {
    for (status, matched_by, claims) in [
        ("Subscribed", MatchedBy::TenantAndObject, true),
        ("Subscribed", MatchedBy::Tenant, true),
        ("Subscribed", MatchedBy::Unverifiable, false),
        ("Suspended", MatchedBy::TenantAndObject, true),
        ("Unsubscribed", MatchedBy::TenantAndObject, false),
    ] {
        let record = known(status);
        assert!(record.is_unclaimed(), "{status}");
        for role in [Role::Beneficiary, Role::Purchaser] {
            let decision = visit(&record, found(role, matched_by));
            let is_claimed =
                matches!(&decision, Decision::Commit(next) if !next.record.is_unclaimed());
            assert_eq!(is_claimed, claims, "{status}, {matched_by:?}");
            assert!(claims || decision == Decision::Unchanged, "{status}, {matched_by:?}");
        }
    }
}

#[test]
fn answers_are_kept_and_announced_once_and_activate_nothing() {
    let bought = known("Subscribed");
    let (first, second) = (sign_up("a@b.example"), sign_up("c@d.example"));
    let next = commit(bought.complete_sign_up(&first, &Cause::Landing, noon()));
    assert_eq!(told(&next), ["SignedUp*"]);
    assert_eq!(next.events[0].sign_up.as_ref(), Some(&first));
    assert_eq!((next.record.sign_up.as_ref(), next.record.activation), (Some(&first), None));
    let again = next.record.complete_sign_up(&second, &Cause::Landing, noon());
    assert_eq!(again, Decision::Unchanged);
    for status in ["PendingFulfillmentStart", "Suspended", "Unsubscribed"] {
        let decision = known(status).complete_sign_up(&first, &Cause::Landing, noon());
        assert_eq!(decision, Decision::Unchanged, "{status}");
    }
}

#[test]
fn an_erasure_leaves_that_it_was_claimed_and_not_by_whom() {
    let claimed = commit(visit(&known("Subscribed"), named()));
    let event = &claimed.events[0];
    assert!(event.names_people());
    let blank = event.without_people();
    assert!(!blank.names_people());
    let ended = commit(decide(Some(&claimed.record), "Unsubscribed")).record;
    let erased = commit(ended.erase(&Cause::Management { principal: None }, noon())).record;
    for text in [json!(blank), json!(erased)] {
        let text = text.to_string();
        assert!(text.contains("beneficiary"), "{text}");
        for id in [BUYER.tenant_id, BUYER.object_id.expect("a person")] {
            assert!(!text.contains(&id.to_string()), "{text}");
        }
    }
}

#[test]
fn a_claim_is_stored_by_its_state() {
    let at = noon();
    let claimant =
        Claimant { account: BUYER, role: Role::Purchaser, matched_by: MatchedBy::Tenant, at };
    let stored: [(Claim, Value); 2] = [
        (Claim::Unclaimed, json!({ "state": "unclaimed" })),
        (
            Claim::Claimed(claimant),
            json!({
                "state": "claimed", "role": "purchaser", "rule": "tenant",
                "at": "2026-03-10T12:00:00Z",
                "account": { "tenantId": BUYER.tenant_id, "objectId": BUYER.object_id },
            }),
        ),
    ];
    for (claim, json) in stored {
        assert_eq!(serde_json::to_value(claim).expect("JSON"), json);
        assert_eq!(serde_json::from_value::<Claim>(json).expect("a claim"), claim);
    }
}
