//! An event that asks whether events arrive, or what a product does about one. It takes the way of every
//! event, and nothing has happened.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::claim::Claimant;
use super::event::{Cause, Event, EventKind};
use super::identification::{Account, MatchedBy, Role};
use super::requested_change::RequestedChange;
use super::ruling::{DecidedBy, Ruling, Verdict};
use super::sign_up::SignUp;
use super::subscription::{CustomerOperation, Party, Status, Subscription, SubscriptionId, Term};

/// The subscription of all test events. Microsoft's ids are random GUIDs, which this one is not, by its
/// version. It has no record, so no list shows it.
pub const TEST_SUBSCRIPTION: SubscriptionId =
    SubscriptionId(Uuid::from_u128(0x7e57_0000_0000_8000_8000_0000_0000_0000));

const SEATS: u64 = 10;
const MORE_SEATS: u64 = 25;
const PLAN: &str = "test-basic";
const OTHER_PLAN: &str = "test-team";

/// Nobody: the domain is reserved for examples.
const ADDRESS: &str = "test@example.com";

impl EventKind {
    /// Each kind of event that a product can receive, with an example of what it holds.
    pub fn examples() -> [Self; 17] {
        let (plan, other) = (PLAN.to_owned(), OTHER_PLAN.to_owned());
        let (from, to) = (Some(SEATS), Some(MORE_SEATS));
        [
            Self::Test,
            Self::Purchased,
            Self::Imported { announced: true },
            Self::ActivationRequested,
            Self::ActivationDeadlineApproaching,
            Self::Activated,
            Self::Claimed { claimant: claimant(Timestamp::UNIX_EPOCH) },
            Self::SignedUp,
            Self::PlanChanged { from: plan, to: other },
            Self::QuantityChanged { from, to },
            Self::ChangeRejected { change: RequestedChange::Seats { from, to } },
            Self::Renewed,
            Self::DetailsChanged,
            Self::Suspended,
            Self::Reinstated,
            Self::Unsubscribed,
            Self::PersonalDataErased,
        ]
    }
}

impl Event {
    /// A test event of one of the [examples](EventKind::examples). Its version is the time in milliseconds, so
    /// that versions grow without a record.
    ///
    /// By [`EventKind::Test`], a receiver that applies the state after every event, also of types that it
    /// doesn't know, gets a subscription that has ended.
    pub fn test(
        kind: EventKind,
        principal: Option<String>,
        correlation_id: Option<Uuid>,
        now: Timestamp,
    ) -> Self {
        let (before, subscription) = states(&kind, now);
        let kind = match kind {
            EventKind::Claimed { .. } => EventKind::Claimed { claimant: claimant(now) },
            kind => kind,
        };
        Self {
            subscription_id: TEST_SUBSCRIPTION,
            version: u64::try_from(now.as_millisecond()).unwrap_or_default(),
            index: 0,
            sign_up: kind.carries_sign_up().then(sign_up),
            ruling: ruling(&kind),
            kind,
            cause: Cause::Management { principal },
            recorded_at: now,
            before,
            subscription,
            unclaimed: false,
            correlation_id,
            only_receiver: None,
        }
    }

    /// Whether it belongs to no subscription at Microsoft.
    pub fn is_test(&self) -> bool {
        self.subscription_id == TEST_SUBSCRIPTION
    }
}

/// The subscription before and after an event of this kind.
fn states(kind: &EventKind, now: Timestamp) -> (Option<Subscription>, Subscription) {
    let active = active(now);
    let with = |status| Subscription { saas_subscription_status: status, ..active.clone() };
    let pending = || {
        let term = Term { start_date: None, end_date: None, ..active.term.clone() };
        Subscription { term, ..with(Status::PendingFulfillmentStart) }
    };
    match kind {
        EventKind::Test => {
            let ended = ended();
            (Some(ended.clone()), ended)
        }
        EventKind::Purchased => (None, pending()),
        EventKind::Imported { .. } => (None, active),
        EventKind::ActivationRequested | EventKind::ActivationDeadlineApproaching => {
            (Some(pending()), pending())
        }
        EventKind::Activated => (Some(pending()), active),
        EventKind::PlanChanged { from, to } => {
            let with = |plan: &String| Subscription { plan_id: plan.clone(), ..active.clone() };
            (Some(with(from)), with(to))
        }
        EventKind::QuantityChanged { from, to } => {
            let with =
                |quantity: &Option<u64>| Subscription { quantity: *quantity, ..active.clone() };
            (Some(with(from)), with(to))
        }
        EventKind::Claimed { .. } | EventKind::SignedUp | EventKind::ChangeRejected { .. } => {
            (Some(active.clone()), active)
        }
        EventKind::Renewed => {
            let earlier = |at: Option<Timestamp>| at.map(|at| at - MONTH);
            let (start_date, end_date) =
                (earlier(active.term.start_date), earlier(active.term.end_date));
            let term = Term { start_date, end_date, ..active.term.clone() };
            (Some(Subscription { term, ..active.clone() }), active)
        }
        EventKind::DetailsChanged => {
            let renamed =
                Subscription { name: Some("Test event, renamed".to_owned()), ..active.clone() };
            (Some(active), renamed)
        }
        EventKind::Suspended => (Some(active.clone()), with(Status::Suspended)),
        EventKind::Reinstated => (Some(with(Status::Suspended)), active),
        EventKind::Unsubscribed => (Some(active.clone()), with(Status::Unsubscribed)),
        EventKind::PersonalDataErased => (None, with(Status::Unsubscribed).without_people()),
    }
}

const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Nobody, as the beneficiary of [`active`].
fn claimant(at: Timestamp) -> Claimant {
    let id = |number| Uuid::from_u128(TEST_SUBSCRIPTION.0.as_u128() + number);
    let account = Account { tenant_id: id(2), object_id: Some(id(1)) };
    Claimant { account, role: Role::Beneficiary, matched_by: MatchedBy::TenantAndObject, at }
}

/// An active subscription of nobody, which began today.
fn active(now: Timestamp) -> Subscription {
    let today = now - SignedDuration::from_secs(now.as_second().rem_euclid(24 * 60 * 60));
    let today = Timestamp::from_second(today.as_second()).unwrap_or(now);
    let party = Party {
        email_id: Some(ADDRESS.to_owned()),
        object_id: Some(Uuid::from_u128(TEST_SUBSCRIPTION.0.as_u128() + 1)),
        tenant_id: Some(Uuid::from_u128(TEST_SUBSCRIPTION.0.as_u128() + 2)),
        puid: None,
    };
    Subscription {
        saas_subscription_status: Status::Subscribed,
        plan_id: PLAN.to_owned(),
        quantity: Some(SEATS),
        term: Term {
            term_unit: Some("P1M".to_owned()),
            start_date: Some(today),
            end_date: Some(today + MONTH),
            charge_duration: None,
        },
        beneficiary: party.clone(),
        purchaser: party,
        auto_renew: Some(true),
        allowed_customer_operations: Some(
            [CustomerOperation::Read, CustomerOperation::Update, CustomerOperation::Delete].into(),
        ),
        created: Some(today),
        ..ended()
    }
}

fn ended() -> Subscription {
    Subscription {
        id: TEST_SUBSCRIPTION,
        publisher_id: None,
        offer_id: "test".to_owned(),
        name: Some("Test event".to_owned()),
        saas_subscription_status: Status::Unsubscribed,
        plan_id: "test".to_owned(),
        quantity: None,
        term: Term::default(),
        beneficiary: Party::default(),
        purchaser: Party::default(),
        auto_renew: None,
        is_free_trial: false,
        is_test: true,
        allowed_customer_operations: None,
        created: None,
    }
}

fn sign_up() -> SignUp {
    SignUp {
        contact_email: ADDRESS.to_owned(),
        fields: [("company".to_owned(), "Test".to_owned())].into(),
        language: "en".to_owned(),
    }
}

/// Who decided about the change, for those kinds that are about one.
fn ruling(kind: &EventKind) -> Option<Ruling> {
    match kind {
        EventKind::PlanChanged { .. } | EventKind::QuantityChanged { .. } => {
            Some(Ruling::accept(DecidedBy::Policy))
        }
        EventKind::ChangeRejected { .. } => {
            Some(Ruling::new(Verdict::Reject, DecidedBy::Policy, "this is a test"))
        }
        EventKind::Purchased
        | EventKind::Imported { .. }
        | EventKind::ActivationRequested
        | EventKind::Activated
        | EventKind::Claimed { .. }
        | EventKind::SignedUp
        | EventKind::Renewed
        | EventKind::DetailsChanged
        | EventKind::Suspended
        | EventKind::Reinstated
        | EventKind::Unsubscribed
        | EventKind::ActivationDeadlineApproaching
        | EventKind::PersonalDataErased
        | EventKind::Test => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_example_is_of_another_kind_and_is_announced() {
        let examples = EventKind::examples();
        let names: BTreeSet<_> = examples.iter().map(EventKind::name).collect();
        assert_eq!(names.len(), examples.len());
        assert!(examples.iter().all(EventKind::is_announced));
    }

    #[test]
    fn every_test_event_is_marked_as_one_and_holds_what_its_kind_says() {
        let now: Timestamp = "2026-03-10T12:34:56.789Z".parse().expect("a timestamp");
        for kind in EventKind::examples() {
            let event = Event::test(kind.clone(), None, None, now);
            assert!(event.is_test() && event.subscription.is_test, "{kind:?}");
            assert_eq!(
                (event.subscription.id, &*event.subscription.offer_id),
                (TEST_SUBSCRIPTION, "test")
            );
            assert_eq!(event.id(), format!("{TEST_SUBSCRIPTION}-1773146096789-0"));
            let (before, after) = (event.before.as_ref(), &event.subscription);
            match &kind {
                EventKind::PlanChanged { from, to } => {
                    assert_eq!((before.map(|it| &it.plan_id), &after.plan_id), (Some(from), to));
                }
                EventKind::QuantityChanged { from, to } => {
                    assert_eq!((before.map(|it| it.quantity), after.quantity), (Some(*from), *to));
                }
                EventKind::Renewed => {
                    let ended = before.and_then(|before| before.term.end_date);
                    assert_eq!(ended, after.term.start_date);
                }
                EventKind::PersonalDataErased => assert!(!event.names_people()),
                _ => {}
            }
            assert_eq!(event.sign_up.is_some(), kind.carries_sign_up());
        }
    }
}
