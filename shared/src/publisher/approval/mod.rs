//! How plan and seat changes are decided: by rules, by the publisher's product, by a policy.
//!
//! | asked | says | then |
//! |---|---|---|
//! | is it our own, or in force already? | accept | settled |
//! | `CHANGE_RULES` | reject | settled |
//! | `DECISION_URL` | accept, reject | settled |
//! | `DECISION_URL` | nothing, or nothing sensible | `DECISION_FALLBACK`, or else the next line |
//! | `CHANGE_RULES` allow it; or else `CHANGE_POLICY` | accept, reject | settled |
//!
//! The product is asked once per delivery that finds the operation open and unmarked. A crash between
//! its answer and the mark asks it again with the same `webhook-id`, the operation's id.
//!
//! Silence: Microsoft accepts a change by itself ten seconds after it told of it (F-WHA-10), so that not
//! answering Microsoft is no third way; it is an acceptance that nobody wrote down. Whoever asks for
//! nothing else is therefore treated as if there were no product to ask, which accepts by default, as
//! Microsoft would: an outage of the product then turns no paying customer away, and both sides hold the
//! same.

mod product;

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::deadline;
use crate::domain::{
    Authority, ChangePolicy, ChangeRules, Record, RequestedChange, Review, Ruling, SubscriptionId,
    Verdict, review,
};
use crate::fulfillment::{Marketplace, Plan};
use crate::operations::Requested;
use crate::system::System;

pub use product::{Product, Silence};

/// For how long the product is listened to. Whoever has to ask others first should not be asked within
/// somebody else's ten seconds; longer, and a product that hangs takes the time of its customers.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// What stays of the [webhook's time](deadline::OF_WEBHOOK) when the product has had its own: one whole
/// try of the acknowledgement, and the transaction. With less, a slow product could cost the answer
/// to Microsoft.
pub const RESERVED: Duration = Duration::from_millis(2500);

/// With less left than this nobody is asked: a new connection alone takes as long.
pub const LEAST: Duration = Duration::from_millis(250);

/// How long the plans may take. They are asked for beside the operation, whose own first try may take as
/// long: in the worst case nothing waits for them.
const PLANS: Duration = Duration::from_millis(1500);

// What has to happen before the product is asked, with everything as slow as it is let be: Entra's
// signing keys, then a token and the operation, each tried for 1.5 s, and the keys and the operation
// begun a second time after 0.6 s (`RetryPolicy::WITHIN_WEBHOOK`). There is something left for the product
// even then.
const SLOWEST_WAY_THERE: Duration = Duration::from_millis(2100 + 3600);
const _: () = assert!(
    SLOWEST_WAY_THERE.as_millis() + LEAST.as_millis() + RESERVED.as_millis()
        <= deadline::OF_WEBHOOK.as_millis().unsigned_abs()
);

/// How changes are decided.
pub struct Changes {
    /// What meets a change nobody else decides about.
    pub policy: ChangePolicy,
    /// The static rules.
    pub rules: ChangeRules,
    /// Who is asked.
    pub product: Option<Product>,
}

/// What the product is told beside the change. Gathered while Microsoft is asked about the operation, so
/// that it costs no time of its own.
#[derive(Debug, Default)]
pub struct Briefing {
    /// The plans the customer may be on, where they are known in time (F-PLN-1).
    pub plans: Option<Vec<Plan>>,
}

impl Changes {
    /// Gathers what the product would be told. Whatever goes wrong with it, the change goes on without.
    pub async fn brief(
        &self,
        marketplace: &dyn Marketplace,
        system: &Arc<dyn System>,
        id: SubscriptionId,
    ) -> Briefing {
        let Some(product) = &self.product else { return Briefing::default() };
        let plans = async {
            match marketplace.list_available_plans(id, None).await {
                Ok(plans) => Some(plans),
                Err(error) => {
                    info!(subscription.id = %id, %error, "the plans are not known in time");
                    None
                }
            }
        };
        let gathered = async { tokio::join!(plans, product.make_ready()) };
        // Boxed, as below: the types of futures within futures have a limit to their depth.
        let (plans, ()) = Box::pin(deadline::within(system.now(), PLANS, gathered)).await;
        Briefing { plans }
    }

    /// Accepts or rejects a requested change.
    pub async fn decide(
        &self,
        current: &Record,
        requested: &Requested,
        briefing: &Briefing,
    ) -> Ruling {
        let ruling = match review(current, &requested.operation, &self.rules, self.policy) {
            Review::Settled(ruling) => ruling,
            Review::Open(otherwise) => {
                Box::pin(self.ask(current, requested, briefing, otherwise)).await
            }
        };
        // The reason may be the product's own words: they are for the event, and for no log.
        info!(
            subscription.id = %requested.subscription, operation.id = %requested.id,
            verdict = ruling.verdict.name(), by = ruling.by.name(), metric = "decision",
            "a change was decided"
        );
        ruling
    }

    async fn ask(
        &self,
        current: &Record,
        requested: &Requested,
        briefing: &Briefing,
        otherwise: Ruling,
    ) -> Ruling {
        let change = RequestedChange::of(current, &requested.operation);
        let (Some(product), Some(change)) = (&self.product, change) else { return otherwise };
        let silence = match product.ask(current, requested, &change, briefing).await {
            Ok(ruling) => return ruling,
            Err(silence) => silence,
        };
        let verdict = product.fallback.map_or(otherwise.verdict, ChangePolicy::verdict);
        warn!(
            subscription.id = %requested.subscription, operation.id = %requested.id,
            reason = silence.word(), verdict = verdict.name(), metric = "decision_fallback",
            "the product gave no decision"
        );
        Ruling::new(verdict, Authority::Fallback, silence.word())
    }
}

impl From<Verdict> for crate::fulfillment::Acknowledgement {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accept => Self::Success,
            Verdict::Reject => Self::Failure,
        }
    }
}
