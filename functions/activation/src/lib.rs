//! `POST /subscriptions/{id}/activate`: the account is set up, and billing begins.
//!
//! For the publisher's own product. With `ACTIVATION=on-confirm` the landing page activates, and
//! the product needs no call. A second activation changes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde::Deserialize;
use shared::config::Dependencies;
use shared::domain::{Cause, LONGEST_REASON, Ruling, SubscriptionId, Verdict, purchase_reason};
use shared::flows::activation::{Activated, ActivationError, ActivationFlow};
use shared::host::clock::Clock;
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::{Handler, Principal, Problem, Request, Response, json, query_parameters};
use shared::host::retry::RetryPolicy;
use shared::host::{correlation, deadline};
use shared::lenient::strict_object;
use shared::publisher::audit::{Shown, read_personal_data};
use shared::publisher::record_view::RecordView;
use tracing::field::Empty;
use tracing::{error, info_span};

/// The call's path in the API's description.
const ROUTE: &str = "/subscriptions/{id}/activate";

/// What the function may touch.
pub struct Activation {
    flow: ActivationFlow,
    clock: Arc<dyn Clock>,
}

impl Activation {
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self::new(&Dependencies::read(environment)?))
    }

    pub fn new(dependencies: &Dependencies) -> Self {
        let clock = dependencies.clock.clone();
        let marketplace =
            dependencies.microsoft.marketplace(RetryPolicy::INTERACTIVE, clock.clone());
        Self { flow: ActivationFlow { marketplace, ledger: dependencies.ledger() }, clock }
    }

    async fn activate(&self, request: &Request) -> Result<Response, Problem> {
        let id = subscription(request)?;
        if query_parameters(request).next().is_some() {
            let code = "malformed_request";
            return Err(Problem::new(StatusCode::BAD_REQUEST, code, "this call has no parameters"));
        }
        let span = info_span!("activation", correlation_id = Empty, subscription.id = %id);
        let principal = Principal::of(request);
        let reason = reason(request.body())?;
        let approval = Ruling::about_purchase(Verdict::Accept, reason, principal.clone());
        let cause = Cause::Activation { principal };
        let work = async {
            let activated =
                self.flow.activate(id, &cause, Some(&approval)).await.map_err(problem)?;
            read_personal_data(request, ROUTE, Shown::Record(id));
            Ok(activated)
        };
        let work = deadline::with_deadline(self.clock.now() + deadline::CALLER_TIME, work);
        let activated = correlation::in_span(self.clock.new_id(), span, work).await?;
        Ok(match activated {
            Activated::Confirmed(record) => json(StatusCode::OK, &RecordView::from(&record)),
            Activated::Requested(record) => json(StatusCode::ACCEPTED, &RecordView::from(&record)),
        })
    }
}

/// The reason in the optional body, for the history.
fn reason(body: &[u8]) -> Result<Option<String>, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        reason: Option<String>,
    }
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let body: Option<Body> = strict_object(body);
    let reason = body.map(|Body { reason }| reason.map(|text| purchase_reason(&text)));
    match reason {
        Some(None) => Ok(None),
        Some(Some(Some(reason))) => Ok(Some(reason)),
        None | Some(Some(None)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_request",
            format!(
                "the body must be empty or {{\"reason\": why}}, with 1 to {LONGEST_REASON} characters \
                 on one line"
            ),
        )),
    }
}

/// The subscription in the request's path.
fn subscription(request: &Request) -> Result<SubscriptionId, Problem> {
    let path = request.uri().path();
    let id = path.strip_prefix("/subscriptions/").and_then(|rest| rest.strip_suffix("/activate"));
    match (request.method(), id) {
        (&Method::POST, Some(id)) if !id.contains('/') => id.parse().map_err(|_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed_id",
                "the subscription's id is not a GUID",
            )
        }),
        (_, Some(id)) if !id.contains('/') => Err(Problem::method_not_allowed("POST")),
        _ => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no_route",
            "activation is POST /subscriptions/{id}/activate",
        )),
    }
}

fn problem(failed: ActivationError) -> Problem {
    match failed {
        ActivationError::Unknown => Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_subscription",
            "Microsoft knows no such subscription",
        ),
        ActivationError::Suspended => Problem::new(
            StatusCode::CONFLICT,
            "suspended",
            "payment is due; a suspended subscription can't be activated",
        ),
        ActivationError::Unsubscribed => Problem::new(
            StatusCode::CONFLICT,
            "unsubscribed",
            "the subscription has ended; a new purchase gets a new id",
        ),
        ActivationError::Declined => Problem::new(
            StatusCode::CONFLICT,
            "declined",
            "the purchase was declined, and Microsoft is to cancel it",
        ),
        ActivationError::Refused(refusal) => Problem::new(
            StatusCode::CONFLICT,
            "refused",
            refusal.message.unwrap_or_else(|| "Microsoft refused the activation".to_owned()),
        ),
        // The client has logged it.
        ActivationError::Fulfillment(error) if error.class().needs_operator() => {
            Problem::of_class(error.class())
        }
        ActivationError::Fulfillment(_) | ActivationError::Update(_) => {
            let class = failed.class();
            error!(error = %failed, class = class.name(), "an activation failed");
            Problem::of_class(class)
        }
    }
}

#[async_trait]
impl Handler for Activation {
    async fn handle(&self, request: Request) -> Response {
        self.activate(&request).await.unwrap_or_else(Response::from)
    }
}
