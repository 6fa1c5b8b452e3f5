//! The ten calls a publisher makes: what every call has in common, and which call is which.

mod operations;
mod reads;
mod requests;
mod route;

use super::api::{Answer, ApiRequest, Outcome, Reply};
use super::faults::{Call, ErrorForm, FaultKind};
use super::log::{CallRecord, Direction};
use super::{Refused, World};
use http::HeaderName;
use route::Route;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// The only version there is (F-GEN-2).
const API_VERSION: &str = "2018-08-31";

/// The ids with which a call can be found again (F-GEN-6).
pub(crate) struct Tracking {
    request_id: String,
    correlation_id: String,
    activity_id: String,
}

impl World {
    /// A call to the marketplace. The path starts at `/saas/…`.
    pub fn marketplace(&mut self, request: &ApiRequest) -> Answer {
        let route = route::find(&request.method, &request.path);
        let call = route.as_ref().map_or(Call::Unknown, Route::call);
        let fault = self.faults.strike(call);
        let answer = self.answer(request, route, fault);
        self.log_call(call, request, &answer, true);
        answer
    }

    fn answer(
        &mut self,
        request: &ApiRequest,
        route: Result<Route, Reply>,
        fault: Option<FaultKind>,
    ) -> Answer {
        let tracking = match self.tracking(request) {
            Ok(tracking) => tracking,
            Err(refusal) => return refusal.into(),
        };
        with_fault(fault, || match self.admit(request, route) {
            Ok(route) => self.process(request, route, &tracking),
            Err(refusal) => refusal,
        })
        .tracked(&tracking)
    }

    fn admit(&self, request: &ApiRequest, route: Result<Route, Reply>) -> Result<Route, Reply> {
        let route = route?;
        match request.parameter("api-version").as_deref() {
            Some(API_VERSION) => {}
            None => {
                return Err(version_error("ApiVersionUnspecified", "An API version is required."));
            }
            Some(_) => {
                return Err(version_error(
                    "UnsupportedApiVersion",
                    "The API version is not supported.",
                ));
            }
        }
        let token = request
            .header("authorization")
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        if !token.is_some_and(|token| self.entra.accepts_at_marketplace(token)) {
            // One text for both causes (F-AUTH-13).
            let both = "The token is missing, invalid or expired, or belongs to another application than the offer's.";
            return Err(ErrorForm::BareString.reply(
                self.settings.behaviour.unauthorized_status,
                "",
                both,
            ));
        }
        if !route.takes_body() && !request.body.is_empty() {
            return Err(bad_request("body", "The request takes no body."));
        }
        if route.takes_body() {
            let is_json = request
                .header("content-type")
                .is_some_and(|value| value.starts_with("application/json"));
            if !is_json && !request.body.is_empty() {
                return Err(ErrorForm::Object.reply(
                    415,
                    "UnsupportedMediaType",
                    "The body must be JSON.",
                ));
            }
        }
        Ok(route)
    }

    fn process(&mut self, request: &ApiRequest, route: Route, tracking: &Tracking) -> Reply {
        match route {
            Route::Resolve => self.resolve(request),
            Route::List => self.list(request),
            Route::Get(id) => self.get(id),
            Route::Plans(id) => self.plans(id, request),
            Route::Activate(id) => self.activate(id, request),
            Route::Update(id) => self.update(id, request, tracking),
            Route::Delete(id) => self.delete(id, tracking),
            Route::ListOperations(id) => self.list_operations(id),
            Route::GetOperation(id, operation) => self.get_operation(id, operation),
            Route::UpdateOperation(id, operation) => self.update_operation(id, operation, request),
        }
    }

    fn tracking(&mut self, request: &ApiRequest) -> Result<Tracking, Reply> {
        // One GUID stands for both when neither came (F-GEN-6).
        let made = self.ids.uuid().to_string();
        let activity_id = self.ids.uuid().to_string();
        let id = |name: &'static str| match request.header(name) {
            None => Ok(None),
            Some(value) if Uuid::try_parse(value).is_ok() => Ok(Some(value.to_owned())),
            Some(_) => Err(bad_request(name, "The header must be a GUID.")),
        };
        let (request_id, correlation_id) = (id("x-ms-requestid")?, id("x-ms-correlationid")?);
        Ok(Tracking {
            request_id: request_id.unwrap_or_else(|| made.clone()),
            correlation_id: correlation_id.unwrap_or(made),
            activity_id,
        })
    }

    /// The operation's id is the tracking id the service made, when it made both (F-CHP-5).
    fn operation_id(&mut self, tracking: &Tracking) -> Uuid {
        match Uuid::try_parse(&tracking.request_id) {
            Ok(id)
                if tracking.request_id == tracking.correlation_id
                    && self.find_operation(id).is_none() =>
            {
                id
            }
            _ => self.ids.uuid(),
        }
    }

    /// Writes a call down. `with_bodies`: bodies and query hold no secret.
    pub(crate) fn log_call(
        &mut self,
        call: Call,
        request: &ApiRequest,
        answer: &Answer,
        with_bodies: bool,
    ) {
        let reply = answer.reply();
        let query = request.query.as_deref().filter(|_| with_bodies);
        let header = |name: &str| reply.and_then(|reply| reply.header(name)).map(str::to_owned);
        let body = |bytes: &[u8]| {
            if with_bodies { serde_json::from_slice(bytes).ok() } else { None }
        };
        let record = CallRecord {
            number: 0,
            at: self.now,
            direction: Direction::ToMicrosoft,
            call,
            method: request.method.to_string(),
            path: query
                .map_or_else(|| request.path.clone(), |query| format!("{}?{query}", request.path)),
            status: reply.map(|reply| reply.status),
            request_id: header("x-ms-requestid"),
            correlation_id: header("x-ms-correlationid"),
            request_body: body(&request.body),
            response_body: reply.and_then(|reply| body(&reply.body)),
            summary: match answer.outcome {
                Outcome::Reply(_) => format!("{call:?}"),
                Outcome::Hang => format!("{call:?}, never answered"),
                Outcome::DropConnection => {
                    format!("{call:?}, connection dropped before it was processed")
                }
                Outcome::LoseAnswer => format!("{call:?}, processed, answer lost"),
            },
        };
        self.log.add(record, self.settings.behaviour.log_limit);
    }
}

impl Answer {
    fn tracked(mut self, tracking: &Tracking) -> Self {
        if let Outcome::Reply(reply) = &mut self.outcome {
            let ids = [
                ("x-ms-requestid", &tracking.request_id),
                ("x-ms-correlationid", &tracking.correlation_id),
                ("x-ms-activityid", &tracking.activity_id),
            ];
            for (name, value) in ids {
                if let Ok(value) = value.parse() {
                    reply.headers.push((HeaderName::from_static(name), value));
                }
            }
        }
        self
    }
}

/// A call under a fault. `process` runs unless the fault prevents it.
pub(crate) fn with_fault(fault: Option<FaultKind>, process: impl FnOnce() -> Reply) -> Answer {
    let outcome = match fault {
        None => Outcome::Reply(process()),
        Some(FaultKind::Delay(delay)) => {
            return Answer { delay, outcome: Outcome::Reply(process()) };
        }
        Some(FaultKind::LoseAnswer) => {
            process();
            Outcome::LoseAnswer
        }
        Some(FaultKind::Hang) => Outcome::Hang,
        Some(FaultKind::DropBefore) => Outcome::DropConnection,
        Some(FaultKind::Status(status, form)) => {
            Outcome::Reply(form.reply(status, "UnexpectedError", "An unexpected error occurred."))
        }
        Some(FaultKind::RetryAfter(status, when)) => {
            let reply = ErrorForm::Object.reply(status, "TooManyRequests", "Try again later.");
            Outcome::Reply(reply.with_header("retry-after", &when))
        }
        Some(FaultKind::Garbage(body)) => {
            Outcome::Reply(Reply::text(200, "application/json; charset=utf-8", body))
        }
    };
    Answer { delay: Duration::ZERO, outcome }
}

fn version_error(code: &str, message: &str) -> Reply {
    ErrorForm::Capitalised.reply(400, code, message)
}

/// A 400 in the form the documents print.
fn bad_request(target: &str, message: &str) -> Reply {
    error(400, "BadArgument", target, message)
}

fn error(status: u16, code: &str, target: &str, message: &str) -> Reply {
    let details = json!([{ "message": message, "target": target, "code": code }]);
    Reply::json(
        status,
        &json!({ "message": message, "target": target, "code": code, "details": details }),
    )
}

fn not_found(id: Uuid) -> Reply {
    let message = format!("Subscription {id} not found");
    Reply::json(
        404,
        &json!({ "message": message, "target": "subscriptionId", "code": "EntityNotFound" }),
    )
}

/// Why a change is refused, in the words of the 400 (F-CHP-8, F-CHQ-3).
fn refusal(reason: &Refused) -> Reply {
    let (target, message) = match reason {
        Refused::UnknownSubscription => {
            ("subscriptionId", "The subscription is not known.".to_owned())
        }
        Refused::InStatus(_) => ("subscriptionId", "The subscription is not active.".to_owned()),
        Refused::Pending => {
            ("subscriptionId", "The subscription is locked by a pending operation.".to_owned())
        }
        Refused::UnknownPlan(plan) => ("planId", format!("The plan {plan} is not in catalog.")),
        Refused::SameValue => ("request", "The subscription has this value already.".to_owned()),
        Refused::SeatsOutOfRange(least, most) => {
            ("quantity", format!("The quantity must be {least} to {most}."))
        }
        Refused::NotPerSeat => ("quantity", "The plan has no quantity.".to_owned()),
        Refused::NothingToRevert => ("request", "There is nothing to revert.".to_owned()),
    };
    bad_request(target, &message)
}

/// The body as an object; 400 when it is none.
fn object(request: &ApiRequest) -> Result<serde_json::Map<String, Value>, Reply> {
    match request.json() {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(bad_request("body", "The body must be a JSON object.")),
    }
}
