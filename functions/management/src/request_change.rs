//! Sends a change, a cancellation or the decline of a purchase to Microsoft, once per idempotency key.

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use shared::domain::{
    DecidedBy, DeclineRefused, OperationId, Record, Requester, Ruling, Status, SubscriptionId,
    Verdict,
};
use shared::flows::request_change::{ChangeRefused, ChangeRequest, CheckError, RequestError};
use shared::host::http::{Principal, Problem, Request, Response, json as json_response};
use shared::microsoft::fulfillment::AcceptedOperation;

use crate::Management;
use crate::change_request::line;
use crate::error_code::ErrorCode;
use crate::idempotency::Idempotency;
use crate::if_match::IfMatch;
use crate::poll::POLL_INTERVAL;
use crate::problem::{fulfillment_problem, refusal, unknown_outcome, update_problem};

/// What the publisher asks for.
struct Decided<'a> {
    change: &'a ChangeRequest,
    ruling: Option<Ruling>,
    /// The request in one line, for its idempotency key.
    line: String,
    /// Whether the record allows it, beside what Microsoft would refuse.
    may: fn(&Record) -> Result<(), Problem>,
}

impl Management {
    pub(crate) async fn request_change(
        &self,
        id: SubscriptionId,
        change: &ChangeRequest,
        reason: Option<&str>,
        request: &Request,
    ) -> Result<Response, Problem> {
        // The publisher's own changes meet no rule.
        let ruling = match change {
            ChangeRequest::Plan(_) | ChangeRequest::Seats(_) => {
                Some(Ruling::new(Verdict::Accept, DecidedBy::Publisher, reason.unwrap_or_default()))
            }
            ChangeRequest::Cancel => None,
        };
        let decided = Decided { change, ruling, line: line(change, id), may: |_| Ok(()) };
        self.carry_out(id, decided, request).await
    }

    /// Declines a purchase that waits for its activation. To Microsoft, this is a cancellation.
    pub(crate) async fn decline(
        &self,
        id: SubscriptionId,
        reason: &str,
        request: &Request,
    ) -> Result<Response, Problem> {
        let principal = Principal::of(request);
        let ruling = Ruling::about_purchase(Verdict::Reject, Some(reason.to_owned()), principal);
        let decided = Decided {
            change: &ChangeRequest::Cancel,
            ruling: Some(ruling),
            line: format!("{} {id} decline {reason}", Method::POST),
            may: |record| {
                let refused = |refused: DeclineRefused| match refused {
                    DeclineRefused::NotPending(Status::Unsubscribed) => {
                        ErrorCode::Unsubscribed.with(ChangeRefused::Ended.to_string())
                    }
                    refused => ErrorCode::NotPending.with(refused.to_string()),
                };
                record.may_be_declined().map_err(refused)
            },
        };
        self.carry_out(id, decided, request).await
    }

    async fn carry_out(
        &self,
        id: SubscriptionId,
        Decided { change, ruling, line, may }: Decided<'_>,
        request: &Request,
    ) -> Result<Response, Problem> {
        let (key, if_match) = (Idempotency::key(request)?, IfMatch::of(request)?);
        if let Some(response) = self.idempotency.earlier(key.as_deref(), &line).await? {
            return Ok(response);
        }
        let record = self.current(id, request).await?;
        if_match.check(&record)?;
        may(&record)?;
        let requester = requester(request);
        let checked = self.changes.check(&record, change, &requester).await;
        checked.map_err(|error| match error {
            CheckError::Refused(refused) => refusal(&refused),
            CheckError::Fulfillment(error) => fulfillment_problem(error),
        })?;
        let claim = self.idempotency.begin(key, line).await?;
        let holds = |record: &Record| if_match.check(record).is_ok() && may(record).is_ok();
        let response = self.send(record, change, requester, ruling, holds).await;
        Ok(self.idempotency.end(claim, response).await)
    }

    async fn send(
        &self,
        record: Record,
        change: &ChangeRequest,
        requester: Requester,
        ruling: Option<Ruling>,
        holds: impl Fn(&Record) -> bool + Send + Sync,
    ) -> Result<Response, Problem> {
        let id = record.id();
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
