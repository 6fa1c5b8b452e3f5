//! Tells Microsoft our answer, and finds out what became of an answer that failed.

use tracing::{info, warn};

use super::{AnswerError, Responder};
use crate::domain::{Cause, Operation, Record, Requested, Ruling, Verdict};
use crate::host::deadline;
use crate::microsoft::fulfillment::{Acknowledgement, FulfillmentError};
use crate::store::OperationOutcome;

impl Responder {
    /// The acknowledgement failed. A conflict means that the operation was settled meanwhile
    /// (F-OPU-4). After any other failure we don't know, and the operation itself tells (F-OPU-6).
    pub(super) async fn unacknowledged(
        &self,
        requested: &Requested,
        operation: &Operation,
        ruling: Ruling,
        current: Record,
        error: FulfillmentError,
    ) -> Result<OperationOutcome, AnswerError> {
        warn!(
            subscription.id = %requested.subscription, operation.id = %requested.id, %error,
            class = error.class().name(), "the acknowledgement failed; reading the operation"
        );
        let again = self.marketplace.get_operation(requested.subscription, &requested.id).await;
        if let Ok(now) = again
            && now.is_settled()
        {
            // Only the status is new. What the operation asks for was checked against the call.
            let settled = Operation { status: now.status, ..operation.clone() };
            return self.follow_ruled(requested, &settled, &ruling, current).await;
        }
        // Another delivery of this call may have succeeded. Then both get the same answer.
        let loaded = self.ledger.load_with_mark(requested.subscription, &requested.id).await;
        if let Ok((_, Some(mark))) = loaded {
            return Ok(mark.outcome);
        }
        let now = self.ledger.clock().now();
        let answered =
            |record: &Record| record.await_answered(&requested.id, &requested.action, &ruling, now);
        self.note(requested, current, answered).await;
        // The 4xx of our answer rejects as well (F-WHA-12). There is no mark and no event yet: if
        // the answer is lost, too, the operation ends otherwise.
        if ruling.verdict == Verdict::Reject && self.still_waits(requested, operation) {
            return Ok(OperationOutcome::Rejected);
        }
        Err(AnswerError::Unacknowledged(error))
    }

    /// Whether Microsoft is still waiting for the answer to its call. After ten seconds it has
    /// accepted the change (F-WHA-10), and a rejection would contradict the plan in force.
    fn still_waits(&self, requested: &Requested, operation: &Operation) -> bool {
        let now = self.ledger.clock().now();
        matches!(requested.cause, Cause::Webhook { .. })
            && deadline::time_left(now).is_none_or(|left| !left.is_zero())
            && operation
                .time_stamp
                .is_none_or(|asked| now.duration_since(asked) < deadline::WEBHOOK_TIME)
    }

    pub(super) async fn acknowledge(
        &self,
        requested: &Requested,
        verdict: Verdict,
    ) -> Result<(), FulfillmentError> {
        let acknowledgement = match verdict {
            Verdict::Accept => Acknowledgement::Success,
            Verdict::Reject => Acknowledgement::Failure,
        };
        info!(
            subscription.id = %requested.subscription, operation.id = %requested.id,
            action = %requested.action, status = acknowledgement.as_str(),
            "acknowledging a requested change"
        );
        self.marketplace
            .update_operation(requested.subscription, &requested.id, acknowledgement)
            .await
    }
}
