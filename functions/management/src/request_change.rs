//! Sends a change or a cancellation to Microsoft, once per idempotency key.

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::domain::{OperationId, Record, SubscriptionId};
use shared::flows::request_change::{ChangeRequest, CheckError, Requester};
use shared::host::http::{Problem, Request, Response, json as json_response};
use shared::microsoft::fulfillment::AcceptedOperation;

use crate::Management;
use crate::change_request::line;
use crate::idempotency::Idempotency;
use crate::if_match::IfMatch;
use crate::poll::POLL_INTERVAL;
use crate::problem::{fulfillment_problem, refusal, unknown_outcome};

impl Management {
    pub(crate) async fn request_change(
        &self,
        id: SubscriptionId,
        change: &ChangeRequest,
        request: &Request,
    ) -> Result<Response, Problem> {
        let (key, if_match) = (Idempotency::key(request)?, IfMatch::of(request)?);
        let line = line(change, id);
        if let Some(response) = self.idempotency.earlier(key.as_deref(), &line).await? {
            return Ok(response);
        }
        let record = self.current(id).await?;
        if_match.check(&record)?;
        let checked = self.changes.check(&record, change, Requester::Publisher).await;
        checked.map_err(|error| match error {
            CheckError::Refused(refused) => refusal(&refused),
            CheckError::Fulfillment(error) => fulfillment_problem(error),
        })?;
        let claim = self.idempotency.begin(key, line).await?;
        let response = self.send(record, change).await;
        Ok(self.idempotency.end(claim, response).await)
    }

    async fn send(&self, record: Record, change: &ChangeRequest) -> Result<Response, Problem> {
        let id = record.id();
        match self.changes.request(record, change, Requester::Publisher).await {
            Ok(AcceptedOperation { id: Some(operation) }) => Ok(accepted(id, operation)),
            Ok(AcceptedOperation { id: None }) => {
                Ok(json_response(StatusCode::ACCEPTED, &json!({ "operationId": null })))
            }
            Err(error) if error.leaves_outcome_unknown() => Err(unknown_outcome()),
            Err(error) => Err(fulfillment_problem(error)),
        }
    }
}

/// 202, with the address that shows how far the operation has come.
fn accepted(id: SubscriptionId, operation: OperationId) -> Response {
    let mut response = json_response(StatusCode::ACCEPTED, &json!({ "operationId": operation }));
    let headers = response.headers_mut();
    let location = format!("/subscriptions/{id}/operations/{operation}");
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, location);
    }
    headers.insert(RETRY_AFTER, POLL_INTERVAL);
    response
}
