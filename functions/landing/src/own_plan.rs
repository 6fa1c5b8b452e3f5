//! Asks Microsoft for single plans: the one in force, and one that was asked for.

use std::pin::Pin;
use std::time::Duration;

use shared::domain::{Record, SeenPlan, Status, Subscription};
use shared::host::deadline::with_limit;
use shared::microsoft::fulfillment::Plan;
use tracing::warn;

use crate::purchase::Purchases;

/// How long a page waits for names and prices, which it can do without.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

type PlanFuture<'a> = Pin<Box<dyn Future<Output = Option<Box<Plan>>> + Send + 'a>>;

impl Purchases {
    /// The plan in force, for its name and price. Without an answer of Microsoft's, the page shows the name
    /// that the record remembers, and no price. The record remembers the answer.
    pub(crate) fn own_plan<'a>(&'a self, record: &'a Record) -> PlanFuture<'a> {
        Box::pin(async {
            let subscription = &record.subscription;
            let plan = self.ask_for_plan(subscription, &subscription.plan_id).await?;
            self.remember(record, &plan).await;
            Some(plan)
        })
    }

    /// The same for a page that shows Microsoft's list of plans, which lacks only what the record remembers.
    pub(crate) fn own_plan_if_unseen<'a>(&'a self, record: &'a Record) -> PlanFuture<'a> {
        match record.seen_plan() {
            Some(_) => Box::pin(async { None }),
            None => self.own_plan(record),
        }
    }

    /// A plan that the customer may be on, and that no record remembers. On the heap: every visit holds this
    /// future.
    pub(crate) fn single_plan<'a>(
        &'a self,
        subscription: &'a Subscription,
        plan_id: &'a str,
    ) -> PlanFuture<'a> {
        Box::pin(self.ask_for_plan(subscription, plan_id))
    }

    /// A page does not wait long for this, and a later visit does it as well.
    async fn remember(&self, record: &Record, plan: &Plan) {
        let ledger = &self.changes.ledger;
        let now = ledger.clock().now();
        let seen = SeenPlan {
            plan_id: record.subscription.plan_id.clone(),
            display_name: plan.display_name.clone(),
            is_of_private_offer: plan.is_of_private_offer(),
        };
        let noted = ledger.note(record.clone(), |record| record.see_plan(&seen, now));
        if let Err(error) = with_limit(now, LONGEST_WAIT, noted).await {
            warn!(
                subscription.id = %record.id(), %error, class = error.class().name(),
                "could not remember the name of a plan"
            );
        }
    }

    async fn ask_for_plan(&self, subscription: &Subscription, plan_id: &str) -> Option<Box<Plan>> {
        match subscription.saas_subscription_status {
            Status::PendingFulfillmentStart | Status::Subscribed | Status::Suspended => {}
            // Microsoft shows the plans of no other one (F-PLN-6).
            Status::Unsubscribed | Status::Other(_) => return None,
        }
        let id = subscription.id;
        let ask = self.changes.marketplace.list_available_plans(id, Some(plan_id));
        match with_limit(self.changes.ledger.clock().now(), LONGEST_WAIT, ask).await {
            Ok(plans) => {
                let is_it = |plan: &Plan| plan.plan_id.as_deref() == Some(plan_id);
                plans.into_iter().find(is_it).map(Box::new)
            }
            Err(error) => {
                warn!(
                    subscription.id = %id, %error, class = error.class().name(),
                    "a page shows neither the plan's name nor its price"
                );
                None
            }
        }
    }
}
