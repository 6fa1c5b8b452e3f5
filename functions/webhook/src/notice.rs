//! A notice: Microsoft has already made the change, and the subscription shows it (F-WHS-3).

use shared::domain::{
    Observation, Operation, OperationId, OwnRequest, Record, Staleness, is_settling, is_young,
    proven_by,
};
use shared::store::OperationOutcome;

use crate::confirmation::Confirmation;
use crate::failure::WebhookFailure;
use crate::{Claim, Reply, Webhook, requested};

impl Webhook {
    pub(crate) async fn notice(
        &self,
        claim: &Claim,
        id: &OperationId,
    ) -> Result<Reply, WebhookFailure> {
        let (observed, current) =
            tokio::join!(self.observe(claim), self.ledger.load(claim.subscription));
        let current = current?;
        let Some(observed) = self.until_known(claim, observed?).await? else {
            return self.unconfirmed(claim, "subscription");
        };
        if self.is_contradicted(claim, &observed, current.as_ref()) {
            self.settle(claim, id, observed, current).await
        } else {
            let operation = self.lost_operation(claim, id, current.as_ref()).await?;
            self.adopt(claim, id, operation, observed, current).await
        }
    }

    /// Either our read is late or the notice is outdated, and the operation tells which. For some
    /// notices Microsoft keeps no operation (F-OPG-5); then the call's own time has to do.
    async fn settle(
        &self,
        claim: &Claim,
        id: &OperationId,
        observed: Observation,
        current: Option<Record>,
    ) -> Result<Reply, WebhookFailure> {
        let confirmation = self.confirm(claim, id).await?;
        let may_lag = self.may_lag(claim, &confirmation, current.as_ref());
        let shows = |observed: &Option<Observation>| {
            observed.as_ref().is_some_and(|observed| self.shows(claim, observed))
        };
        let mut observed = Some(observed);
        if may_lag {
            observed = self.until_shown(observed, || self.observe(claim), shows).await?;
        }
        let shown = shows(&observed);
        let Some(observed) = observed else {
            return self.unconfirmed(claim, "subscription");
        };
        let operation = match confirmation {
            Confirmation::Confirmed(operation) if may_lag && !shown => {
                let is_settled = operation.is_settled();
                let requested = requested(claim, id, Some(operation));
                if let Some(record) = current.filter(|_| is_settled) {
                    self.responder.note_settled(&requested, record).await;
                }
                return Err(WebhookFailure::Settling);
            }
            Confirmation::Unknown if !shown => {
                self.unconfirmed(claim, "operation")?;
                None
            }
            Confirmation::Confirmed(operation) => Some(operation),
            Confirmation::Contradicted | Confirmation::Unknown => None,
        };
        // The record may have changed while we waited.
        let current = self.ledger.load(claim.subscription).await?;
        self.adopt(claim, id, operation, observed, current).await
    }

    /// The operation, where the record holds a request of ours whose operation's id got lost: then
    /// it says whether this is the one.
    async fn lost_operation(
        &self,
        claim: &Claim,
        id: &OperationId,
        current: Option<&Record>,
    ) -> Result<Option<Operation>, WebhookFailure> {
        let requests = current.map(|record| record.own_requests.as_slice()).unwrap_or_default();
        let is_lost = |own: &OwnRequest| own.operation_id.is_none() && own.action == claim.action;
        if !requests.iter().any(is_lost) {
            return Ok(None);
        }
        Ok(self.confirm(claim, id).await?.into_operation())
    }

    async fn adopt(
        &self,
        claim: &Claim,
        id: &OperationId,
        operation: Option<Operation>,
        observed: Observation,
        current: Option<Record>,
    ) -> Result<Reply, WebhookFailure> {
        let observed = proven_by(operation.as_ref(), observed);
        let requested = requested(claim, id, operation);
        let outcome = OperationOutcome::Noticed;
        match self.responder.adopt(&requested, current, &observed, outcome).await {
            Ok(()) => Ok(Reply::Handled),
            Err(failed) => self.failed(&requested, failed).await,
        }
    }

    fn shows(&self, claim: &Claim, observed: &Observation) -> bool {
        claim.action.led_to(observed, self.clock.now())
    }

    /// Whether Microsoft's copy may not show yet what the notice says has happened.
    fn may_lag(
        &self,
        claim: &Claim,
        confirmation: &Confirmation,
        current: Option<&Record>,
    ) -> bool {
        let now = self.clock.now();
        match confirmation {
            Confirmation::Confirmed(operation) if operation.is_settled() => {
                is_settling(operation, current, now)
            }
            Confirmation::Confirmed(operation) => is_young(operation.time_stamp, now),
            Confirmation::Contradicted => false,
            Confirmation::Unknown => claim.is_young(now),
        }
    }

    /// Whether the subscription or the record contradicts the notice. If so, the caller fetches the
    /// operation, which costs one more round trip.
    fn is_contradicted(
        &self,
        claim: &Claim,
        observed: &Observation,
        current: Option<&Record>,
    ) -> bool {
        let stale_read = current.zip(observed.status()).is_some_and(|(record, status)| {
            status != record.status() && record.left_recently(status, self.clock.now())
        });
        stale_read || !self.shows(claim, observed)
    }

    /// The call names no operation. We adopt Microsoft's copy and ignore the call's claims.
    pub(crate) async fn look(&self, claim: &Claim) -> Result<Reply, WebhookFailure> {
        let id = claim.subscription;
        let (observed, current) = tokio::join!(self.observe(claim), self.ledger.load(id));
        let current = current?;
        let Some(observed) = self.until_known(claim, observed?).await? else {
            return self.unconfirmed(claim, "subscription");
        };
        match self.ledger.adopt(id, current, &observed, &claim.cause()).await?.stale {
            Some(Staleness::Settling) => Err(WebhookFailure::Settling),
            Some(Staleness::Impossible) | None => Ok(Reply::Handled),
        }
    }

    /// Reads again while Microsoft doesn't know the subscription: a purchase that activated itself
    /// may be too young (F-GET-4).
    async fn until_known(
        &self,
        claim: &Claim,
        observed: Option<Observation>,
    ) -> Result<Option<Observation>, WebhookFailure> {
        let read = || self.observe(claim);
        Ok(self.until_shown(observed, read, Option::is_some).await?)
    }
}
