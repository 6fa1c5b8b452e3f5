//! `POST /subscriptions/{id}/activate`: the account is configured, billing begins.
//!
//! For the publisher's own product; the landing page activates by itself where it is set to. Twice
//! is the same as once.

use async_trait::async_trait;
use http::{Method, StatusCode};
use shared::activation::{Activated, Activation, ActivationError};
use shared::config::{ConfigError, Environment, Foundation};
use shared::domain::{Cause, Record, SubscriptionId};
use shared::http::{Handler, Problem, Request, Response, json};
use shared::retry::RetryPolicy;
use shared::{deadline, telemetry};
use tracing::field::Empty;
use tracing::{error, info_span};

/// What the function may touch.
pub struct Activate {
    activation: Activation,
}

impl Activate {
    /// The function as its settings describe it.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self::new(&Foundation::read(environment)?))
    }

    /// The function on a given foundation.
    pub fn new(Foundation { microsoft, store, system }: &Foundation) -> Self {
        let marketplace = microsoft.marketplace(RetryPolicy::INTERACTIVE, system.clone());
        Self {
            activation: Activation { marketplace, store: store.clone(), system: system.clone() },
        }
    }

    async fn activate(&self, request: &Request) -> Result<Response, Problem> {
        let id = subscription(request)?;
        let span = info_span!("activation", correlation_id = Empty, subscription.id = %id);
        let work =
            async { self.activation.activate(id, &Cause::Activation).await.map_err(problem) };
        let system = &self.activation.system;
        let work = deadline::until(system.now() + deadline::OF_CALLER, work);
        let activated = telemetry::within(system.new_id(), span, work).await?;
        Ok(match activated {
            Activated::Confirmed(record) => answer(StatusCode::OK, &record),
            Activated::Requested(record) => answer(StatusCode::ACCEPTED, &record),
        })
    }
}

/// The subscription a request names.
fn subscription(request: &Request) -> Result<SubscriptionId, Problem> {
    let no_route = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "no_route",
            "activation is POST /subscriptions/{id}/activate",
        )
    };
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
        _ => Err(no_route()),
    }
}

fn answer(status: StatusCode, record: &Record) -> Response {
    json(status, record)
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
            "the subscription is over; a new purchase has a new id",
        ),
        ActivationError::Refused(refusal) => Problem::new(
            StatusCode::CONFLICT,
            "refused",
            refusal.message.unwrap_or_else(|| "Microsoft refused the activation".to_owned()),
        ),
        ActivationError::Fulfillment(_) | ActivationError::Decide(_) => {
            error!(error = %failed, "an activation could not be carried out");
            Problem::unavailable()
        }
    }
}

#[async_trait]
impl Handler for Activate {
    async fn handle(&self, request: Request) -> Response {
        self.activate(&request).await.unwrap_or_else(Response::from)
    }
}
