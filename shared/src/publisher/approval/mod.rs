//! Who approves a plan or seat change: the publisher's rules, the publisher's product, or a policy.
//!
//! | asked in this order | answer | then |
//! |---|---|---|
//! | Did we request it, or is it in force already? | accept | settled |
//! | `CHANGE_RULES` | reject | settled |
//! | the product behind `DECISION_URL` | accept, reject | settled |
//! | the product | none, or an unreadable one | `DECISION_FALLBACK`, or else the next line |
//! | `CHANGE_RULES` if they allow it, or else `CHANGE_POLICY` | accept, reject | settled |
//!
//! The product is asked once for each delivery that finds the operation open and unmarked. If the
//! function crashes between the product's answer and the mark, the next delivery asks again with
//! the same `webhook-id`, the operation's id.
//!
//! Not answering Microsoft is not an option: after ten seconds Microsoft accepts the change
//! (F-WHA-10). So a product that gives no decision counts as no product, unless `DECISION_FALLBACK`
//! says otherwise. By default that accepts, as Microsoft would: an outage of the product rejects no
//! paying customer, and both sides hold the same.

mod product;
mod time_limits;

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::domain::{
    ChangePolicy, ChangeRules, DecidedBy, Operation, Record, Requested, RequestedChange, Review,
    Ruling, SubscriptionId, Verdict, review,
};
use crate::host::clock::Clock;
use crate::host::deadline;
use crate::microsoft::fulfillment::Marketplace;

pub use product::{ChangeContext, NoDecision, Product};
pub use time_limits::{MIN_PRODUCT_TIME, PRODUCT_TIMEOUT, RESERVED_FOR_ACK};

/// How long the plans may take. They are fetched concurrently with the operation, whose first
/// attempt may take as long, so in the worst case nothing waits for them.
const PLANS_TIMEOUT: Duration = Duration::from_millis(1500);

/// Approves or rejects changes.
pub struct ChangeApproval {
    /// `CHANGE_POLICY`.
    pub policy: ChangePolicy,
    /// `CHANGE_RULES`.
    pub rules: ChangeRules,
    pub product: Option<Product>,
}

impl ChangeApproval {
    /// Fetches the plans and the signing keys, concurrently with Get Operation, so that the
    /// question costs no extra round trip. If either fails, the question goes without.
    pub async fn gather(
        &self,
        marketplace: &dyn Marketplace,
        clock: &Arc<dyn Clock>,
        id: SubscriptionId,
    ) -> ChangeContext {
        let Some(product) = &self.product else { return ChangeContext::default() };
        let plans = async {
            match marketplace.list_available_plans(id, None).await {
                Ok(plans) => Some(plans),
                Err(error) => {
                    info!(subscription.id = %id, %error, "could not list the plans in time");
                    None
                }
            }
        };
        let gathered = async { tokio::join!(plans, product.fetch_keys()) };
        // Boxed, as below: the compiler limits how deep the types of futures may nest.
        let limited = Box::pin(deadline::with_limit(clock.now(), PLANS_TIMEOUT, gathered));
        let (plans, ()) = limited.await;
        ChangeContext { plans }
    }

    /// Whether the buyer may ask for this change: the rules allow it, and so does the policy or,
    /// later, the product.
    pub fn may_accept(&self, current: &Record, operation: &Operation) -> bool {
        match review(current, operation, &self.rules, self.policy) {
            Review::Settled(ruling) => ruling.verdict == Verdict::Accept,
            Review::Open(ruling) => self.product.is_some() || ruling.verdict == Verdict::Accept,
        }
    }

    /// Accepts or rejects a requested change.
    pub async fn decide(
        &self,
        current: &Record,
        requested: &Requested,
        operation: &Operation,
        context: &ChangeContext,
    ) -> Ruling {
        let ruling = match review(current, operation, &self.rules, self.policy) {
            Review::Settled(ruling) => ruling,
            Review::Open(otherwise) => {
                Box::pin(self.ask(current, requested, operation, context, otherwise)).await
            }
        };
        // The reason may be the product's own words. It goes into the event and into no log.
        info!(
            subscription.id = %requested.subscription, operation.id = %requested.id,
            verdict = ruling.verdict.name(), by = ruling.by.name(), metric = "decision",
            "decided about a change"
        );
        ruling
    }

    async fn ask(
        &self,
        current: &Record,
        requested: &Requested,
        operation: &Operation,
        context: &ChangeContext,
        otherwise: Ruling,
    ) -> Ruling {
        let change = RequestedChange::of(&current.subscription, operation);
        let (Some(product), Some(change)) = (&self.product, change) else { return otherwise };
        let missing = match product.ask(current, requested, &change, context).await {
            Ok(ruling) => return ruling,
            Err(missing) => missing,
        };
        let verdict = product.fallback.map_or(otherwise.verdict, ChangePolicy::verdict);
        warn!(
            subscription.id = %requested.subscription, operation.id = %requested.id,
            reason = missing.word(), class = missing.class().name(), verdict = verdict.name(),
            metric = "decision_fallback",
            "the product gave no decision"
        );
        Ruling::new(verdict, DecidedBy::Fallback, missing.word())
    }
}
