//! The events alone rebuild the record, for random copies and operations in random order.

use std::collections::BTreeSet;

use super::*;
use crate::domain::{DecidedBy, Ruling, Verdict, reject};

fn rejection() -> Ruling {
    Ruling::new(Verdict::Reject, DecidedBy::Product, "not now")
}

/// SplitMix64: the same sequence on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize].clone()
    }

    /// A random copy: possible or impossible after the previous one, complete or incomplete.
    fn copy(&mut self) -> Value {
        let terms = [
            json!(null),
            json!({ "termUnit": "P1M" }),
            json!({ "termUnit": "P1M", "startDate": "2026-03-04", "endDate": "2026-04-03" }),
            json!({ "termUnit": "P1M", "startDate": "2026-04-04", "endDate": "2026-05-03" }),
            json!({ "termUnit": "PAY", "startDate": "2026-03-10" }),
        ];
        let statuses = [
            json!("Subscribed"),
            json!("Subscribed"),
            json!("Suspended"),
            json!("PendingFulfillmentStart"),
            json!("Migrating"),
            json!(null),
        ];
        // An end is final, so it is rare here. Otherwise most lives would be too short.
        let status = if self.roll(12) == 0 { json!("Unsubscribed") } else { self.pick(&statuses) };
        json!({
            "id": ID, "offerId": "offer", "saasSubscriptionStatus": status,
            "planId": self.pick(&[json!("silver"), json!("gold"), json!(null)]),
            "quantity": self.pick(&[json!(5), json!("10"), json!(""), json!(null)]),
            "term": self.pick(&terms),
            "name": self.pick(&[json!("Contoso"), json!("Fabrikam"), json!(null)]),
            "created": "2026-03-01T00:00:00Z",
        })
    }

    fn operation_id(&mut self) -> OperationId {
        OperationId::from(Uuid::from_u128(self.roll(4).into()))
    }

    fn operation(&mut self) -> Operation {
        serde_json::from_value(json!({
            "id": self.operation_id(),
            "action": self.pick(&["ChangePlan", "ChangeQuantity", "Renew"]),
            "planId": self.pick(&["silver", "gold", "platinum"]),
            "quantity": self.pick(&[5, 10, 15]),
        }))
        .expect("an operation")
    }

    /// A random rule on random input. `None` if a first observation is incomplete.
    fn decide(&mut self, current: Option<&Record>, now: Timestamp) -> Option<Decision> {
        let Some(record) = current else {
            return observe(None, &observation(self.copy()), &cause(), now).ok();
        };
        Some(match self.roll(16) {
            0 => apply(record, &self.operation(), &cause(), now),
            1 => reinstate(record, &cause(), now),
            2 => record.request_activation(&cause(), now),
            3 => record.begin_activation(now),
            4 => record.abandon_activation(record.version, now),
            5 => record.await_operation(&self.operation_id(), &Action::ChangePlan, now),
            6 => record.forget_operation(&self.operation_id(), now),
            7 => record.announce_deadline(&cause(), now),
            8 => {
                let (id, operation) = (self.operation_id(), self.operation());
                reject(record, &id, &operation, &cause(), &rejection(), now)
            }
            _ => {
                let observed = observation(self.copy()).as_of(self.pick(&[None, Some(now)]));
                observe(Some(record), &observed, &cause(), now).expect("a record completes it")
            }
        })
    }
}

/// One random life: every committed version, in order.
fn live(seed: u64) -> Vec<NextVersion> {
    let mut dice = Dice(seed);
    let mut now = noon();
    let mut record: Option<Record> = None;
    let mut committed = Vec::new();
    for _ in 0..60 {
        now += SignedDuration::from_secs(dice.roll(120) as i64);
        if let Some(Decision::Commit(change)) = dice.decide(record.as_ref(), now) {
            record = Some(change.record.clone());
            committed.push(change);
        }
    }
    committed
}

#[test]
fn replayed_events_rebuild_the_record_with_rising_versions_and_unique_ids() {
    let mut ends = 0;
    for seed in 0..400 {
        let mut ids = BTreeSet::new();
        let mut replayed: Option<Subscription> = None;
        let mut over = false;
        for (version, change) in (1..).zip(live(seed)) {
            assert_eq!(change.record.version, version, "seed {seed}");
            for (index, event) in (0..).zip(&change.events) {
                assert!(!over, "seed {seed}: {} after the end", event.kind.name());
                assert_eq!((event.version, event.index), (version, index), "seed {seed}");
                assert!(ids.insert(event.id()), "seed {seed}: {} twice", event.id());
                assert_describes_the_difference(event, replayed.as_ref(), seed);
                over = event.kind == EventKind::Unsubscribed;
                replayed = Some(event.subscription.clone());
            }
            let recorded = &change.record.subscription;
            assert_eq!(replayed.as_ref(), Some(recorded), "seed {seed}, {version}");
        }
        ends += u32::from(over);
    }
    assert!(ends > 100, "enough lives reach their end: {ends}");
}

fn assert_describes_the_difference(event: &Event, before: Option<&Subscription>, seed: u64) {
    let after = &event.subscription;
    let status = &after.saas_subscription_status;
    match &event.kind {
        EventKind::Purchased => assert_eq!(before, None, "seed {seed}: a second purchase"),
        EventKind::Imported { .. } => panic!("seed {seed}: no import is under way"),
        EventKind::PlanChanged { from, to } => {
            assert_eq!(before.map(|before| &before.plan_id), Some(from), "seed {seed}");
            assert_eq!(&after.plan_id, to, "seed {seed}");
            assert_ne!(from, to, "seed {seed}");
        }
        EventKind::QuantityChanged { from, to } => {
            assert_eq!(before.map(|before| before.quantity), Some(*from), "seed {seed}");
            assert_eq!(&after.quantity, to, "seed {seed}");
            assert_ne!(from, to, "seed {seed}");
        }
        EventKind::Activated | EventKind::Reinstated => {
            assert_eq!(*status, Status::Subscribed, "seed {seed}");
        }
        EventKind::Suspended => assert_eq!(*status, Status::Suspended, "seed {seed}"),
        EventKind::Unsubscribed => assert_eq!(*status, Status::Unsubscribed, "seed {seed}"),
        EventKind::Renewed => {
            let former = before.and_then(|before| before.term.end_date);
            assert!(after.term.start_date >= former, "seed {seed}");
        }
        EventKind::ActivationRequested | EventKind::ActivationDeadlineApproaching => {
            assert_eq!(*status, Status::PendingFulfillmentStart, "seed {seed}");
            assert_eq!(before, Some(after), "seed {seed}: an announcement changes nothing");
        }
        EventKind::ChangeRejected { .. } => {
            assert_eq!(before, Some(after), "seed {seed}: a rejection changes nothing");
            assert_ne!(*status, Status::Unsubscribed, "seed {seed}");
        }
        EventKind::DetailsChanged => assert_ne!(before, Some(after), "seed {seed}"),
        EventKind::Claimed { .. }
        | EventKind::SignedUp
        | EventKind::PersonalDataErased
        | EventKind::Test => {
            panic!("seed {seed}: no observation leads to {}", event.kind.name())
        }
    }
}

#[test]
fn a_record_and_its_events_round_trip_through_json() {
    for change in (0..20).flat_map(live) {
        let written = serde_json::to_value(&change.record).expect("a record is JSON");
        let read: Record = serde_json::from_value(written).expect("a record");
        assert_eq!(read, change.record);
        for event in change.events {
            let written = serde_json::to_value(&event).expect("an event is JSON");
            assert_eq!(written["type"], event.kind.name());
            let read: Event = serde_json::from_value(written).expect("an event");
            assert_eq!(read, event);
        }
    }
}
