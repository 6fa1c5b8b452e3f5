//! Which call a request is.

use http::{Method, StatusCode};
use shared::domain::{OperationId, Status, SubscriptionId};
use shared::http::{Problem, Request};
use shared::store::Filter;
use url::form_urlencoded;

/// The calls of the publisher's API.
#[derive(Debug)]
pub enum Route {
    /// `GET /subscriptions?status=&offer=&next=`
    List {
        /// Which.
        filter: Filter,
        /// Where the page before ended.
        next: Option<String>,
    },
    /// `GET /subscriptions/{id}`
    Read(SubscriptionId),
    /// `GET /subscriptions/{id}/events?after=`
    Events {
        /// Whose.
        id: SubscriptionId,
        /// The version of the last event that is known.
        after: u64,
    },
    /// `GET /subscriptions/{id}/plans`
    Plans(SubscriptionId),
    /// `GET /subscriptions/{id}/operations`
    Operations(SubscriptionId),
    /// `GET /subscriptions/{id}/operations/{operationId}`
    Operation(SubscriptionId, OperationId),
    /// `PATCH /subscriptions/{id}`
    Change(SubscriptionId),
    /// `DELETE /subscriptions/{id}`
    Cancel(SubscriptionId),
}

impl Route {
    /// The subscription a call is about.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        match self {
            Self::List { .. } => None,
            Self::Read(id)
            | Self::Events { id, .. }
            | Self::Plans(id)
            | Self::Operations(id)
            | Self::Operation(id, _)
            | Self::Change(id)
            | Self::Cancel(id) => Some(*id),
        }
    }

    /// The call, or why it is none.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let path = request.uri().path().trim_end_matches('/');
        let mut parts = path.split('/').skip(1);
        if parts.next() != Some("subscriptions") {
            return Err(no_route());
        }
        let parts: Vec<&str> = parts.collect();
        let parameter = |name: &str| {
            form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.into_owned())
        };
        Ok(match (request.method(), parts.as_slice()) {
            (&Method::GET, []) => Self::List {
                filter: Filter {
                    status: parameter("status").as_deref().map(Status::from),
                    offer_id: parameter("offer"),
                },
                next: parameter("next"),
            },
            (&Method::GET, [id]) => Self::Read(subscription(id)?),
            (&Method::PATCH, [id]) => Self::Change(subscription(id)?),
            (&Method::DELETE, [id]) => Self::Cancel(subscription(id)?),
            (&Method::GET, [id, "events"]) => Self::Events {
                id: subscription(id)?,
                after: match parameter("after") {
                    Some(after) => {
                        after.parse().map_err(|_| malformed("`after` is not a version"))?
                    }
                    None => 0,
                },
            },
            (&Method::GET, [id, "plans"]) => Self::Plans(subscription(id)?),
            (&Method::GET, [id, "operations"]) => Self::Operations(subscription(id)?),
            (&Method::GET, [id, "operations", operation]) => Self::Operation(
                subscription(id)?,
                operation.parse().map_err(|_| malformed("the operation's id is not a GUID"))?,
            ),
            _ => return Err(no_route()),
        })
    }
}

fn subscription(id: &str) -> Result<SubscriptionId, Problem> {
    id.parse().map_err(|_| malformed("the subscription's id is not a GUID"))
}

fn malformed(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed_request", detail)
}

fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_route", "there is no such call")
}
