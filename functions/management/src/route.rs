//! The calls of the publisher's API: one table, by which requests are told apart and from which
//! `openapi.json` is made.

use http::Method;
use shared::domain::{OperationId, Status, SubscriptionId};
use shared::http::{Problem, Request};
use shared::lenient::object;
use shared::store::Filter;
use url::form_urlencoded;

use crate::change::Asked;
use crate::code::Code;
use crate::{place, whole};

/// A call, as the table names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Records, a page at a time.
    List,
    /// The description of this API.
    Document,
    /// One record.
    Read,
    /// Another plan, or another number of seats.
    Change,
    /// The end.
    Cancel,
    /// What happened.
    Events,
    /// What the customer may change to.
    Plans,
    /// What is under way.
    Operations,
    /// How far one operation has come.
    Operation,
    /// Microsoft's copy, now.
    Observe,
    /// Events, once more.
    Redeliver,
}

/// The most characters of a status or an offer's id: Microsoft's have 50 at the most, and the table
/// takes no key of 2 KB.
pub const LONGEST_WORD: usize = 100;

/// A query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// Only those with this status.
    Status,
    /// Only those of this offer.
    Offer,
    /// Where the page before ended.
    Next,
    /// The version of the last event that is known.
    After,
}

impl Query {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Offer => "offer",
            Self::Next => "next",
            Self::After => "after",
        }
    }
}

/// A line of the table.
pub struct Entry {
    /// Which call.
    pub call: Call,
    /// Its method.
    pub method: Method,
    /// Its path, as the deployment template writes it.
    pub path: &'static str,
    /// The parameters that are read; no others are.
    pub query: &'static [Query],
}

const fn entry(call: Call, method: Method, path: &'static str, query: &'static [Query]) -> Entry {
    Entry { call, method, path, query }
}

/// Every call. Of two forms that a path fits, the first counts.
pub static TABLE: [Entry; 11] = [
    entry(Call::List, Method::GET, "/subscriptions", &[Query::Status, Query::Offer, Query::Next]),
    // Below the same path as everything else, so that one permission covers it; no GUID looks like it.
    entry(Call::Document, Method::GET, "/subscriptions/openapi.json", &[]),
    entry(Call::Read, Method::GET, "/subscriptions/{id}", &[]),
    entry(Call::Change, Method::PATCH, "/subscriptions/{id}", &[]),
    entry(Call::Cancel, Method::DELETE, "/subscriptions/{id}", &[]),
    entry(Call::Events, Method::GET, "/subscriptions/{id}/events", &[Query::After]),
    entry(Call::Plans, Method::GET, "/subscriptions/{id}/plans", &[]),
    entry(Call::Operations, Method::GET, "/subscriptions/{id}/operations", &[]),
    entry(Call::Operation, Method::GET, "/subscriptions/{id}/operations/{operationId}", &[]),
    entry(Call::Observe, Method::POST, "/subscriptions/{id}/observe", &[]),
    entry(Call::Redeliver, Method::POST, "/subscriptions/{id}/redeliver", &[]),
];

/// A request, understood.
#[derive(Debug)]
pub enum Route {
    /// A page of records.
    List {
        /// Which.
        filter: Filter,
        /// Where the page before ended.
        next: Option<String>,
    },
    /// The description of this API.
    Document,
    /// One record.
    Read(SubscriptionId),
    /// What happened after a version.
    Events {
        /// Whose.
        id: SubscriptionId,
        /// The version of the last event that is known.
        after: u64,
    },
    /// What the customer may change to.
    Plans(SubscriptionId),
    /// What is under way.
    Operations(SubscriptionId),
    /// How far one operation has come.
    Operation(SubscriptionId, OperationId),
    /// Something is asked of Microsoft.
    Ask(SubscriptionId, Asked),
    /// Microsoft's copy, now.
    Observe(SubscriptionId),
    /// Events once more, from the first of this version on.
    Redeliver {
        /// Whose.
        id: SubscriptionId,
        /// Where to begin; where it stopped, if nothing is said.
        from_version: Option<u64>,
    },
}

impl Route {
    /// The subscription a call is about.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        match self {
            Self::List { .. } | Self::Document => None,
            Self::Read(id)
            | Self::Events { id, .. }
            | Self::Plans(id)
            | Self::Operations(id)
            | Self::Operation(id, _)
            | Self::Ask(id, _)
            | Self::Observe(id)
            | Self::Redeliver { id, .. } => Some(*id),
        }
    }

    /// The call, or why it is none.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let path = request.uri().path().trim_end_matches('/');
        // The path says what it is about, whatever the method: the description is no subscription.
        let (form, parts) = TABLE
            .iter()
            .find_map(|entry| Some((entry.path, fit(entry.path, path)?)))
            .ok_or_else(no_route)?;
        let entry = TABLE
            .iter()
            .find(|entry| entry.path == form && entry.method == *request.method())
            .ok_or_else(no_route)?;
        let query = |wanted: Query| {
            debug_assert!(entry.query.contains(&wanted), "the table names what is read");
            form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .find(|(name, value)| name == wanted.name() && !value.trim().is_empty())
                .map(|(_, value)| value.trim().to_owned())
        };
        let word = |wanted: Query| match query(wanted) {
            Some(word) if word.chars().count() > LONGEST_WORD => {
                Err(malformed(&format!("`{}` is longer than any there is", wanted.name())))
            }
            word => Ok(word),
        };
        let id = || match parts.first().map(|id| id.parse()) {
            Some(Ok(id)) => Ok(id),
            Some(Err(_)) | None => Err(malformed("the subscription's id is not a GUID")),
        };
        Ok(match entry.call {
            Call::List => Self::List {
                filter: Filter {
                    status: word(Query::Status)?.as_deref().map(Status::from),
                    offer_id: word(Query::Offer)?,
                },
                next: query(Query::Next).map(|next| place::open(&next)).transpose()?,
            },
            Call::Document => Self::Document,
            Call::Read => Self::Read(id()?),
            Call::Change => Self::Ask(id()?, Asked::change(request.body())?),
            Call::Cancel => Self::Ask(id()?, Asked::Cancel),
            Call::Events => Self::Events {
                id: id()?,
                after: match query(Query::After) {
                    Some(after) => {
                        after.parse().map_err(|_| malformed("`after` is not a version"))?
                    }
                    None => 0,
                },
            },
            Call::Plans => Self::Plans(id()?),
            Call::Operations => Self::Operations(id()?),
            Call::Operation => Self::Operation(
                id()?,
                match parts.get(1).map(|id| id.parse()) {
                    Some(Ok(id)) => id,
                    Some(Err(_)) | None => {
                        return Err(malformed("the operation's id is not a GUID"));
                    }
                },
            ),
            Call::Observe => Self::Observe(id()?),
            Call::Redeliver => {
                Self::Redeliver { id: id()?, from_version: from_version(request.body())? }
            }
        })
    }
}

/// What stands in the place of the names in braces, if a path is of this form.
fn fit<'a>(form: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let (mut form, mut path) = (form.split('/'), path.split('/'));
    let mut parts = Vec::new();
    loop {
        match (form.next(), path.next()) {
            (None, None) => return Some(parts),
            (Some(name), Some(part)) if name.starts_with('{') => parts.push(part),
            (Some(name), Some(part)) if name == part => {}
            _ => return None,
        }
    }
}

/// Reads the body of a wish for events: none at all, or where they begin.
fn from_version(body: &[u8]) -> Result<Option<u64>, Problem> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Body {
        #[serde(default, deserialize_with = "whole::read")]
        from_version: Option<u64>,
    }
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    match object(body) {
        Some(Body { from_version: Some(0) }) | None => {
            Err(malformed("the body must be empty or {\"fromVersion\": a version from 1 on}"))
        }
        Some(Body { from_version }) => Ok(from_version),
    }
}

fn no_route() -> Problem {
    Code::NoRoute.with("there is no such call")
}

/// A request that can't be read.
pub fn malformed(detail: &str) -> Problem {
    Code::MalformedRequest.with(detail)
}
