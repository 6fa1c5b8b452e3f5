//! Customers from before: what a deployment's first full round finds.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::decision::Decision;
use super::event::{Cause, EventKind};
use super::observation::{IncompleteObservation, Observation};
use super::observe::observe;
use super::record::Record;
use super::subscription::{Status, Subscription};

/// How much older than the first start a subscription must be to count as a customer from before. It
/// covers the difference between Microsoft's clock and ours: if it were shorter, a purchase that was made
/// around the first start could stay unannounced.
pub const IMPORT_MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// Whether the product is sent the event of an imported subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportPolicy {
    #[default]
    Silent,
    Announce,
}

#[derive(Debug, Error, PartialEq, Eq)]
#[error("must be `silent` or `announce`")]
pub struct UnknownImportPolicy;

impl FromStr for ImportPolicy {
    type Err = UnknownImportPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "silent" => Ok(Self::Silent),
            "announce" => Ok(Self::Announce),
            _ => Err(UnknownImportPolicy),
        }
    }
}

/// An import that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Import {
    /// The deployment's first start.
    pub started_at: Timestamp,
    pub policy: ImportPolicy,
}

impl Import {
    /// Adopts Microsoft's state, as [`observe`] does. The first version of a customer from before has one
    /// event `Imported`, in place of the events that led there.
    pub fn adopt(
        self,
        current: Option<&Record>,
        observed: &Observation,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<Decision, IncompleteObservation> {
        let mut decision = observe(current, observed, cause, now)?;
        if let (None, Decision::Commit(next)) = (current, &mut decision)
            && self.covers(&next.record.subscription)
            && let Some(mut event) = next.events.pop()
        {
            event.kind = EventKind::Imported { announced: self.policy == ImportPolicy::Announce };
            event.index = 0;
            event.before = None;
            event.unclaimed = false;
            next.events = vec![event];
            // Who set a customer from before up is unknown here.
            next.record.claim = None;
        }
        Ok(decision)
    }

    /// Whether a subscription without a record is a customer from before: `created` is the time of the
    /// purchase (F-OBJ-13).
    ///
    /// A purchase that waits for its activation needs the product, however old it is. So may one with a
    /// status that this program doesn't know. Without a time of purchase, an announcement too many is
    /// better than a lost one.
    fn covers(self, subscription: &Subscription) -> bool {
        match subscription.saas_subscription_status {
            Status::Subscribed | Status::Suspended | Status::Unsubscribed => {
                let age = |created| self.started_at.duration_since(created);
                subscription.created.is_some_and(|created| age(created) > IMPORT_MARGIN)
            }
            Status::PendingFulfillmentStart | Status::Other(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::domain::NextVersion;

    fn started() -> Timestamp {
        "2026-03-10T12:00:00Z".parse().expect("a timestamp")
    }

    fn observed(status: &str, created: Value) -> Observation {
        let term = json!({ "termUnit": "P1M", "startDate": "2026-03-04", "endDate": "2026-04-03" });
        let has_begun = status != "PendingFulfillmentStart";
        serde_json::from_value(json!({
            "id": Uuid::from_u128(1), "offerId": "offer", "planId": "silver", "quantity": 5,
            "saasSubscriptionStatus": status, "created": created, "term": has_begun.then_some(term),
        }))
        .expect("an observation")
    }

    fn adopted(policy: ImportPolicy, current: Option<&Record>, seen: &Observation) -> NextVersion {
        let import = Import { started_at: started(), policy };
        match import.adopt(current, seen, &Cause::Reconciliation, started()) {
            Ok(Decision::Commit(next)) => next,
            other => panic!("nothing is committed: {other:?}"),
        }
    }

    fn names(next: &NextVersion) -> Vec<&'static str> {
        next.events.iter().map(|event| event.kind.name()).collect()
    }

    #[test]
    fn a_customer_from_before_has_one_event_with_the_whole_subscription() {
        for (policy, announced) in [(ImportPolicy::Silent, false), (ImportPolicy::Announce, true)] {
            for status in ["Subscribed", "Suspended", "Unsubscribed"] {
                let next = adopted(policy, None, &observed(status, json!("2024-01-31T08:00:00Z")));
                let [event] = &next.events[..] else { panic!("{status}: {:?}", names(&next)) };
                assert_eq!(event.kind, EventKind::Imported { announced }, "{status}");
                assert_eq!(event.kind.is_announced(), announced);
                assert_eq!((event.version, event.index, &event.before), (1, 0, &None), "{status}");
                assert_eq!(event.subscription, next.record.subscription, "{status}");
                assert_eq!(event.subscription.saas_subscription_status.as_str(), status);
                assert_eq!(event.cause, Cause::Reconciliation);
            }
        }
    }

    #[test]
    fn what_waits_is_young_or_of_unknown_age_is_announced_with_its_own_events() {
        let margin = IMPORT_MARGIN;
        let old = json!("2024-01-31T08:00:00Z");
        for (status, created, expected) in [
            ("PendingFulfillmentStart", old.clone(), &["Purchased"][..]),
            ("Migrating", old, &["Purchased"]),
            ("Subscribed", json!(started() - margin), &["Purchased", "Activated"]),
            ("Subscribed", json!(started() + margin), &["Purchased", "Activated"]),
            ("Suspended", json!(null), &["Purchased", "Activated", "Suspended"]),
            ("Subscribed", json!("long ago"), &["Purchased", "Activated"]),
        ] {
            let next = adopted(ImportPolicy::Silent, None, &observed(status, created.clone()));
            assert_eq!(names(&next), expected, "{status}, {created}");
            assert!(next.events.iter().all(|event| event.kind.is_announced()));
        }
        let barely = json!(started() - margin - SignedDuration::from_secs(1));
        let next = adopted(ImportPolicy::Silent, None, &observed("Subscribed", barely));
        assert_eq!(names(&next), ["Imported"]);
    }

    #[test]
    fn a_record_that_exists_goes_on_with_its_own_events() {
        let old = json!("2024-01-31T08:00:00Z");
        let first = adopted(ImportPolicy::Silent, None, &observed("Subscribed", old.clone()));
        let seen = observed("Unsubscribed", old);
        let next = adopted(ImportPolicy::Silent, Some(&first.record), &seen);
        assert_eq!(names(&next), ["Unsubscribed"]);
        assert_eq!(next.events[0].before.as_ref(), Some(&first.record.subscription));
    }

    #[test]
    fn a_policy_is_read_from_its_word_alone() {
        assert_eq!("silent".parse(), Ok(ImportPolicy::Silent));
        assert_eq!("announce".parse(), Ok(ImportPolicy::Announce));
        for wrong in ["", "Silent", "announce ", "all"] {
            assert_eq!(wrong.parse::<ImportPolicy>(), Err(UnknownImportPolicy), "{wrong:?}");
        }
    }
}
