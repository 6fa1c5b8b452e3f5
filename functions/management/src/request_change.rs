//! Asking Microsoft for a change or for the end.

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::commit::decide;
use shared::domain::{Decision, Operation, OperationId, Record, SubscriptionId};
use shared::fulfillment::{AcceptedOperation, FulfillmentError};
use shared::http::{Problem, Request, Response, json as answer};
use tracing::{info, warn};

use crate::change::{Asked, Terms};
use crate::keyed::{Keyed, unknown_outcome};
use crate::version::Expected;
use crate::{Management, problem};

/// Seconds after which it makes sense to look at an operation; what Microsoft was seen to say (F-CHP-5).
pub const LOOK_AGAIN: HeaderValue = HeaderValue::from_static("10");

impl Management {
    /// Asks Microsoft for what is asked of us, once its conditions are met.
    pub(crate) async fn ask(
        &self,
        id: SubscriptionId,
        asked: &Asked,
        request: &Request,
    ) -> Result<Response, Problem> {
        let (key, expected) = (Keyed::key(request)?, Expected::of(request)?);
        let line = asked.line(id);
        if let Some(answer) = self.keyed.earlier(key.as_deref(), &line).await? {
            return Ok(answer);
        }
        let record = self.current(id).await?;
        expected.check(&record)?;
        asked.check(&record)?;
        asked.check_terms(&record, &self.terms(asked, &record).await)?;
        let claim = self.keyed.begin(key, line).await?;
        let asked = self.send(record, asked).await;
        Ok(self.keyed.end(claim, asked).await)
    }

    /// What it takes to know beforehand whether Microsoft would refuse. Microsoft refuses by itself, so
    /// what can't be read is done without.
    async fn terms(&self, asked: &Asked, record: &Record) -> Terms {
        let id = record.id();
        let (plans, operations, own) = match asked {
            // Microsoft says 409 by itself (F-CAN-4), and a reinstatement that is under way is
            // declined just by this (F-CAN-7).
            Asked::Cancel => return Terms::default(),
            Asked::Plan(_) | Asked::Quantity(_) => tokio::join!(
                self.marketplace.list_available_plans(id, None),
                self.marketplace.list_operations(id),
                self.awaited(record),
            ),
        };
        let unread = |error: FulfillmentError| {
            info!(subscription.id = %id, %error, "a change is asked for without having been checked in full");
        };
        let mut operations = operations.map_err(unread).unwrap_or_default();
        operations.extend(own);
        Terms { plans: plans.map_err(unread).unwrap_or_default(), operations }
    }

    /// The operation that the record waits for: one that has not begun is in no list (F-OPL-1).
    async fn awaited(&self, record: &Record) -> Option<Operation> {
        let pending = record.pending_operation.as_ref()?;
        self.marketplace.get_operation(record.id(), pending.id).await.ok()
    }

    async fn send(&self, record: Record, asked: &Asked) -> Result<Response, Problem> {
        let id = record.id();
        let action = asked.action();
        info!(subscription.id = %id, %action, "asking Microsoft for a change");
        let accepted = match asked {
            Asked::Plan(plan) => self.marketplace.change_plan(id, plan).await,
            Asked::Quantity(seats) => self.marketplace.change_quantity(id, *seats).await,
            Asked::Cancel => self.marketplace.cancel(id).await,
        };
        match accepted {
            Ok(AcceptedOperation { id: Some(operation) }) => {
                self.await_operation(record, operation, asked).await;
                Ok(accepted_as(id, operation))
            }
            Ok(AcceptedOperation { id: None }) => {
                Ok(answer(StatusCode::ACCEPTED, &json!({ "operationId": null })))
            }
            Err(FulfillmentError::Unavailable { reason, repeatable: false, .. }) => {
                warn!(subscription.id = %id, reason, "whether Microsoft took the request isn't known");
                Err(unknown_outcome())
            }
            Err(error) => Err(problem(error)),
        }
    }

    /// Microsoft has the request whatever becomes of this note; it's for the reconciliation.
    async fn await_operation(&self, record: Record, operation: OperationId, asked: &Asked) {
        let (now, action) = (self.system.now(), asked.action());
        let rule = |record: Option<&Record>| {
            Ok(record.map_or(Decision::Unchanged, |record| {
                record.await_operation(operation, &action, now)
            }))
        };
        let id = record.id();
        if let Err(error) = decide(&*self.store, &*self.system, id, Some(record), None, rule).await
        {
            warn!(subscription.id = %id, operation.id = %operation, %error, "the operation was not noted");
        }
    }
}

/// 202: where to look how far it is.
fn accepted_as(id: SubscriptionId, operation: OperationId) -> Response {
    let mut response = answer(StatusCode::ACCEPTED, &json!({ "operationId": operation }));
    let headers = response.headers_mut();
    let location = format!("/subscriptions/{id}/operations/{operation}");
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, location);
    }
    headers.insert(RETRY_AFTER, LOOK_AGAIN);
    response
}
