//! The purchase that a token opens: who may see it, its confirmation and its activation.

use std::sync::Arc;

use jiff::Timestamp;
use shared::config::ActivationMode;
use shared::domain::{
    Account, Cause, Identification, IncompleteObservation, Observation, Record, SignUp, Status,
    Subscription, identify, is_colleague, observe, tenant_for_guest,
};
use shared::flows::activation::{Activated, ActivationError, ActivationFlow};
use shared::flows::ledger::{Ledger, UpdateError};
use shared::flows::request_change::ChangeFlow;
use shared::host::error_class::ErrorClass;
use shared::microsoft::fulfillment::{FulfillmentError, Marketplace, PurchaseToken};
use shared::publisher::approval::ChangeApproval;
use shared::store::{KnownRefusals, Refused, Store};
use thiserror::Error;
use tracing::field::display;
use tracing::{Span, info};
use uuid::Uuid;

use crate::known_plans::KnownPlans;

const BAD_REQUEST: u16 = 400;

/// Why a visit cannot show or confirm its purchase.
#[derive(Debug, Error)]
pub(crate) enum VisitError {
    /// The token is invalid or has expired (F-RES-8).
    #[error("Microsoft does not accept the purchase token")]
    TokenRejected,
    /// The visitor is neither beneficiary nor purchaser (F-LP-9).
    #[error("the purchase belongs to someone else")]
    Stranger {
        /// The purchase's own directory, if the visitor may be a guest there.
        tenant: Option<Uuid>,
    },
    /// The visitor belongs to the beneficiary's company. They see the subscription, and do nothing.
    #[error("the purchase belongs to a colleague")]
    Colleague(Box<(Subscription, KnownPlans)>),
    #[error("Microsoft refuses the activation")]
    ActivationRefused,
    #[error("Resolve named no subscription")]
    NoSubscription,
    #[error("there is no record of the purchase")]
    NoRecord,
    #[error(transparent)]
    Fulfillment(FulfillmentError),
    #[error(transparent)]
    Activation(ActivationError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Incomplete(#[from] IncompleteObservation),
}

impl VisitError {
    /// `None` where the fault is the visitor's.
    pub(crate) fn class(&self) -> Option<ErrorClass> {
        Some(match self {
            Self::TokenRejected | Self::Colleague(_) | Self::Stranger { .. } => return None,
            Self::ActivationRefused => ErrorClass::Refused,
            Self::NoSubscription | Self::Incomplete(_) => ErrorClass::MicrosoftUnavailable,
            Self::NoRecord => ErrorClass::Table,
            Self::Fulfillment(error) => error.class(),
            Self::Activation(error) => error.class(),
            Self::Update(error) => error.class(),
        })
    }
}

/// A purchase, as this visit opened it.
pub(crate) struct Opened {
    pub(crate) record: Record,
    /// `None` if sign-in is off. The record may still name an earlier visitor, if Microsoft's
    /// answer is older than the record.
    pub(crate) visitor: Option<Visitor>,
    /// As far as the page needs them.
    pub(crate) plans: KnownPlans,
    /// The person's other subscriptions, as far as the page shows them.
    pub(crate) others: Vec<Subscription>,
    /// When it was opened.
    pub(crate) now: Timestamp,
}

/// A visitor whom Microsoft names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor {
    pub(crate) account: Account,
    /// What they are to the purchase.
    pub(crate) identification: Identification,
}

/// Opens, confirms and changes purchases.
pub(crate) struct Purchases {
    marketplace: Arc<dyn Marketplace>,
    ledger: Ledger,
    pub(crate) store: Arc<dyn Store>,
    refusals: KnownRefusals,
    activation: ActivationFlow,
    pub(crate) changes: ChangeFlow,
    /// What the publisher allows a buyer to change.
    pub(crate) approval: ChangeApproval,
}

impl Purchases {
    pub(crate) fn new(
        marketplace: Arc<dyn Marketplace>,
        ledger: Ledger,
        store: Arc<dyn Store>,
        refusals: KnownRefusals,
        approval: ChangeApproval,
    ) -> Self {
        Self {
            approval,
            activation: ActivationFlow { marketplace: marketplace.clone(), ledger: ledger.clone() },
            changes: ChangeFlow { marketplace: marketplace.clone(), ledger: ledger.clone() },
            marketplace,
            ledger,
            store,
            refusals,
        }
    }

    /// Resolves a purchase and records it. `account` is `None` if sign-in is off. A stranger and
    /// a colleague get an error, and the record stays as it was.
    pub(crate) async fn open(
        &self,
        token: &PurchaseToken,
        account: Option<&Account>,
    ) -> Result<Opened, VisitError> {
        let observed = self.resolve(token, account).await?;
        let id = observed.id().ok_or(VisitError::NoSubscription)?;
        Span::current().record("subscription.id", display(id));
        info!("resolved a purchase");
        let current = self.ledger.load(id).await.map_err(UpdateError::from)?;
        let (committed, visitor) = match account {
            None => (self.ledger.adopt(id, current, &observed, &Cause::Landing).await?, None),
            Some(account) => {
                let known = current.as_ref().map(|record| &record.subscription);
                let subscription = observed.onto(known)?;
                let identification = match identify(&subscription, account) {
                    Some(identification) => identification,
                    None if is_colleague(&subscription, account) => {
                        // Once the people are erased, nobody is shown them.
                        let plans = current.as_ref().map(KnownPlans::of).unwrap_or_default();
                        let erased = current.filter(Record::is_erased);
                        let shown = erased.map_or(subscription, |record| record.subscription);
                        let own = self.single_plan(&shown, &shown.plan_id).await;
                        let plans = KnownPlans { own, ..plans };
                        return Err(VisitError::Colleague(Box::new((shown, plans))));
                    }
                    None => {
                        let tenant = tenant_for_guest(&subscription, account);
                        return Err(VisitError::Stranger { tenant });
                    }
                };
                let rule = |record: Option<&Record>| {
                    let now = self.ledger.clock().now();
                    let decision = observe(record, &observed, &Cause::Landing, now)?;
                    let decision = decision.identifying(identification, record, now);
                    Ok(decision.claiming(identification, account, record, &Cause::Landing, now))
                };
                let visitor = Visitor { account: *account, identification };
                (self.ledger.update(id, current, None, rule).await?, Some(visitor))
            }
        };
        let record = committed.record.ok_or(VisitError::NoRecord)?;
        let now = self.ledger.clock().now();
        let plans = KnownPlans::of(&record);
        Ok(Opened { record, visitor, plans, others: Vec::new(), now })
    }

    /// Asks Microsoft what the token bought, unless Microsoft has refused it to this account before. Only
    /// what stays refused is remembered: a 400 (F-RES-8), and neither a 404, which may be early, nor what
    /// another setting or another minute would change.
    async fn resolve(
        &self,
        token: &PurchaseToken,
        account: Option<&Account>,
    ) -> Result<Observation, VisitError> {
        let known = account.map(|account| Refused::purchase_token(account, token.expose()));
        if let Some(known) = &known
            && self.refusals.contain(known).await
        {
            return Err(VisitError::TokenRejected);
        }
        match self.marketplace.resolve(token).await {
            Ok(observed) => Ok(observed),
            Err(FulfillmentError::Refused(refusal)) => {
                if let Some(known) = known.filter(|_| refusal.status == BAD_REQUEST) {
                    self.refusals.remember(&known).await;
                }
                Err(VisitError::TokenRejected)
            }
            Err(FulfillmentError::NotFound(_)) => Err(VisitError::TokenRejected),
            Err(error) => Err(VisitError::Fulfillment(error)),
        }
    }

    /// Records the buyer's confirmation and answers, and activates if that is ours to do. A second
    /// confirmation changes nothing (F-LP-10). Where Microsoft has activated by itself, only the answers
    /// are recorded (F-ACT-8). Returns the new record.
    pub(crate) async fn confirm(
        &self,
        record: Record,
        sign_up: Option<&SignUp>,
        mode: ActivationMode,
    ) -> Result<Record, VisitError> {
        let now = self.ledger.clock().now();
        if let (true, Some(sign_up)) = (record.lacks_sign_up(), sign_up) {
            let complete = |record: &Record| record.complete_sign_up(sign_up, &Cause::Landing, now);
            return Ok(self.ledger.note(record, complete).await?);
        }
        if *record.status() != Status::PendingFulfillmentStart || record.declined().is_some() {
            return Ok(record);
        }
        let record = match sign_up {
            Some(sign_up) => {
                self.ledger.note(record, |record| record.keep_sign_up(sign_up, now)).await?
            }
            None => record,
        };
        match mode {
            ActivationMode::OnConfirm => self.activate(record).await,
            ActivationMode::ByPublisher => {
                let now = self.ledger.clock().now();
                let request = |record: &Record| record.request_activation(&Cause::Landing, now);
                Ok(self.ledger.note(record, request).await?)
            }
        }
    }

    async fn activate(&self, record: Record) -> Result<Record, VisitError> {
        match self.activation.activate(record.id(), &Cause::Landing, None).await {
            Ok(Activated::Confirmed(record) | Activated::Requested(record)) => Ok(record),
            Err(
                ActivationError::Suspended
                | ActivationError::Unsubscribed
                | ActivationError::Declined,
            ) => {
                let latest = self.ledger.load(record.id()).await.map_err(UpdateError::from)?;
                Ok(latest.unwrap_or(record))
            }
            Err(ActivationError::Refused(_)) => Err(VisitError::ActivationRefused),
            Err(
                failed @ (ActivationError::Unknown
                | ActivationError::Fulfillment(_)
                | ActivationError::Update(_)),
            ) => Err(VisitError::Activation(failed)),
        }
    }
}
