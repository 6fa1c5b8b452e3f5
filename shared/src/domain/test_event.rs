//! An event that asks whether events arrive. It takes the way of every event, and nothing has happened.

use jiff::Timestamp;
use uuid::Uuid;

use super::event::{Cause, Event, EventKind};
use super::subscription::{Party, Status, Subscription, SubscriptionId, Term};

/// The subscription of all test events. Microsoft's ids are random GUIDs, which this one is not, by its
/// version. It has no record, so no list shows it.
pub const TEST_SUBSCRIPTION: SubscriptionId =
    SubscriptionId(Uuid::from_u128(0x7e57_0000_0000_8000_8000_0000_0000_0000));

impl Event {
    /// A test event. Its version is the time in milliseconds, so that versions grow without a record.
    ///
    /// A receiver that applies the state after every event, also of types that it doesn't know, gets a
    /// subscription that has ended.
    pub fn test(principal: Option<String>, correlation_id: Option<Uuid>, now: Timestamp) -> Self {
        let subscription = Subscription {
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
        };
        Self {
            subscription_id: TEST_SUBSCRIPTION,
            version: u64::try_from(now.as_millisecond()).unwrap_or_default(),
            index: 0,
            kind: EventKind::Test,
            cause: Cause::Management { principal },
            recorded_at: now,
            before: Some(subscription.clone()),
            subscription,
            sign_up: None,
            ruling: None,
            correlation_id,
        }
    }
}
