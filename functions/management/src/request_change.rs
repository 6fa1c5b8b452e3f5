//! Sends a change or a cancellation to Microsoft, once per idempotency key.

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::domain::{DecidedBy, OperationId, Record, Requester, Ruling, SubscriptionId, Verdict};
use shared::flows::request_change::{ChangeRequest, CheckError, RequestError};
use shared::host::http::{Principal, Problem, Request, Response, json as json_response};
use shared::microsoft::fulfillment::AcceptedOperation;

use crate::Management;
use crate::change_request::line;
use crate::error_code::ErrorCode;
use crate::idempotency::Idempotency;
use crate::if_match::IfMatch;
use crate::poll::POLL_INTERVAL;
use crate::problem::{fulfillment_problem, refusal, unknown_outcome, update_problem};

impl Management {
    pub(crate) async fn request_change(
        &self,
        id: SubscriptionId,
        change: &ChangeRequest,
        reason: Option<&str>,
        request: &Request,
    ) -> Result<Response, Problem> {
        let (key, if_match) = (Idempotency::key(request)?, IfMatch::of(request)?);
        let line = line(change, id);
        if let Some(response) = self.idempotency.earlier(key.as_deref(), &line).await? {
            return Ok(response);
        }
        let record = self.current(id, request).await?;
        if_match.check(&record)?;
        let requester = requester(request);
        let checked = self.changes.check(&record, change, &requester).await;
        checked.map_err(|error| match error {
            CheckError::Refused(refused) => refusal(&refused),
            CheckError::Fulfillment(error) => fulfillment_problem(error),
        })?;
        let claim = self.idempotency.begin(key, line).await?;
        let response = self.send(record, change, (requester, reason), &if_match).await;
        Ok(self.idempotency.end(claim, response).await)
    }

    /// The publisher's own changes meet no rule.
    async fn send(
        &self,
        record: Record,
        change: &ChangeRequest,
        (requester, reason): (Requester, Option<&str>),
        if_match: &IfMatch,
    ) -> Result<Response, Problem> {
        let id = record.id();
        let ruling = match change {
            ChangeRequest::Plan(_) | ChangeRequest::Seats(_) => {
                Some(Ruling::new(Verdict::Accept, DecidedBy::Publisher, reason.unwrap_or_default()))
            }
            ChangeRequest::Cancel => None,
        };
        let holds = |record: &Record| if_match.check(record).is_ok();
        match self.changes.request(record, change, requester, ruling, holds).await {
            Ok(AcceptedOperation { id: Some(operation) }) => Ok(accepted(id, &operation)),
            Ok(AcceptedOperation { id: None }) => {
                Ok(json_response(StatusCode::ACCEPTED, &json!({ "operationId": null })))
            }
            Err(RequestError::Fulfillment(error)) if error.leaves_outcome_unknown() => {
                Err(unknown_outcome())
            }
            Err(RequestError::Fulfillment(error)) => Err(fulfillment_problem(error)),
            Err(RequestError::Update(error)) => Err(update_problem(error)),
            Err(RequestError::Overtaken) => Err(ErrorCode::VersionMismatch
                .with("the record has changed; look at it before asking again")),
        }
    }
}

fn requester(request: &Request) -> Requester {
    Requester::Publisher { principal: Principal::of(request) }
}

/// 202, with the address that shows how far the operation has come.
fn accepted(id: SubscriptionId, operation: &OperationId) -> Response {
    let mut response = json_response(StatusCode::ACCEPTED, &json!({ "operationId": operation }));
    let headers = response.headers_mut();
    let location = format!("/subscriptions/{id}/operations/{}", operation.escaped());
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, location);
    }
    headers.insert(RETRY_AFTER, POLL_INTERVAL);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_requested_in_the_name_of_the_caller_that_the_host_checked() {
        let arn = "arn:aws:sts::123456789012:assumed-role/Billing/adele@contoso.example";
        let mut request = Request::default();
        assert_eq!(requester(&request), Requester::Publisher { principal: None });
        request.extensions_mut().insert(Principal::new(arn.to_owned()));
        let role = "arn:aws:sts::123456789012:assumed-role/Billing".to_owned();
        assert_eq!(requester(&request), Requester::Publisher { principal: Some(role) });
    }
}
