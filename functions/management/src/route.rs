//! The calls of the publisher's API: one table, from which requests are routed and `openapi.json`
//! is made.

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value};
use shared::domain::{AnnotationPatch, OperationId, SearchTerm, Status, SubscriptionId};
use shared::host::http::{Problem, Request};
use shared::lenient::strict_object;
use shared::store::{Filter, LARGEST_PAGE, ListBy, ListQuery, Sort};

use shared::flows::request_change::ChangeRequest;

use crate::change_request::{self, Patch};
use crate::deliveries::{DeliveryState, Recovery};
use crate::error_code::{ErrorCode, malformed};
use crate::parameters::{Parameters, Query};
use crate::test_event_request::TestEventRequest;
use crate::{cursor, json_integer, note_request, offers_request, run_request, test_event_request};

/// A call, as the table names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    List,
    /// The description of this API.
    Document,
    Read,
    /// Another plan, another number of seats, or the publisher's own reference and metadata.
    Change,
    Cancel,
    Events,
    Plans,
    Operations,
    Operation,
    /// Read Microsoft's copy now.
    Observe,
    Redeliver,
    /// How far the receivers have come with one subscription.
    DeliveriesOf,
    /// What receivers answered to the events that they did not accept.
    Attempts,
    /// What the publisher's staff wrote down about a subscription.
    Notes,
    AddNote,
    /// What waits or is parked, of all subscriptions.
    Deliveries,
    /// Send the events of many subscriptions again.
    Recover,
    /// The receivers of events.
    Receivers,
    PauseReceiver,
    ResumeReceiver,
    /// What single offers have of their own on the landing page.
    Offers,
    SetOffers,
    ClearOffers,
    /// A purchase that waits for its activation.
    Decline,
    /// The personal data of an ended subscription.
    Erase,
    /// Why doesn't it work?
    Examine,
    /// What the last examination found.
    LastExamination,
    SendTestEvent,
    TestEvent,
    /// The runs of the reconciliation.
    Reconciliations,
    /// Start one now.
    Reconcile,
    Pause,
    Resume,
}

/// A line of the table.
pub(crate) struct Entry {
    pub call: Call,
    pub method: Method,
    /// As in the deployment template.
    pub path: &'static str,
    /// Other parameters are refused.
    pub query: &'static [Query],
}

const fn entry(call: Call, method: Method, path: &'static str, query: &'static [Query]) -> Entry {
    Entry { call, method, path, query }
}

const DELIVERIES: [Query; 2] = [Query::State, Query::Next];

const ATTEMPTS: [Query; 2] = [Query::Limit, Query::Next];

const LIST: [Query; 9] = [
    Query::Status,
    Query::Offer,
    Query::Test,
    Query::Unclaimed,
    Query::Delivery,
    Query::Search,
    Query::Sort,
    Query::Limit,
    Query::Next,
];

/// Every call. Where a path matches two patterns, the first one wins.
pub(crate) static TABLE: [Entry; 33] = [
    entry(Call::List, Method::GET, "/subscriptions", &LIST),
    // It lies below the same path as all other calls, so that one permission covers it. No GUID
    // looks like it.
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
    entry(Call::DeliveriesOf, Method::GET, "/subscriptions/{id}/deliveries", &[]),
    entry(Call::Attempts, Method::GET, "/subscriptions/{id}/attempts", &ATTEMPTS),
    entry(Call::Notes, Method::GET, "/subscriptions/{id}/notes", &[]),
    entry(Call::AddNote, Method::POST, "/subscriptions/{id}/notes", &[]),
    entry(Call::Deliveries, Method::GET, "/deliveries", &DELIVERIES),
    entry(Call::Recover, Method::POST, "/deliveries/recover", &[]),
    entry(Call::Receivers, Method::GET, "/receivers", &[]),
    entry(Call::PauseReceiver, Method::POST, "/receivers/{name}/pause", &[]),
    entry(Call::ResumeReceiver, Method::POST, "/receivers/{name}/resume", &[]),
    entry(Call::Offers, Method::GET, "/offers", &[]),
    entry(Call::SetOffers, Method::PUT, "/offers", &[]),
    entry(Call::ClearOffers, Method::DELETE, "/offers", &[]),
    entry(Call::Decline, Method::POST, "/subscriptions/{id}/decline", &[]),
    entry(Call::Erase, Method::POST, "/subscriptions/{id}/erase", &[]),
    entry(Call::Examine, Method::GET, "/doctor", &[]),
    entry(Call::LastExamination, Method::GET, "/doctor/last", &[]),
    entry(Call::SendTestEvent, Method::POST, "/doctor/test-event", &[]),
    entry(Call::TestEvent, Method::GET, "/doctor/test-event/{eventId}", &[]),
    entry(Call::Reconciliations, Method::GET, "/reconciliations", &[Query::Limit, Query::Next]),
    entry(Call::Reconcile, Method::POST, "/reconciliations", &[]),
    entry(Call::Pause, Method::POST, "/reconciliations/pause", &[]),
    entry(Call::Resume, Method::POST, "/reconciliations/resume", &[]),
];

/// A parsed request.
#[derive(Debug)]
pub(crate) enum Route {
    List {
        query: ListQuery,
        next: Option<String>,
    },
    /// The records with deliveries of this state.
    ListOpen {
        state: DeliveryState,
        filter: Filter,
        next: Option<String>,
    },
    Document,
    Read(SubscriptionId),
    Events {
        id: SubscriptionId,
        /// The version of the last event that the caller has.
        after: u64,
    },
    Plans(SubscriptionId),
    Operations(SubscriptionId),
    Operation(SubscriptionId, OperationId),
    RequestChange {
        id: SubscriptionId,
        change: ChangeRequest,
        reason: Option<String>,
    },
    Annotate(SubscriptionId, AnnotationPatch),
    Observe(SubscriptionId),
    Decline {
        id: SubscriptionId,
        /// For the buyer.
        reason: String,
    },
    Erase(SubscriptionId),
    Redeliver {
        id: SubscriptionId,
        /// The first version that is sent again; `None`: the first one that was not delivered.
        from_version: Option<u64>,
    },
    DeliveriesOf(SubscriptionId),
    Attempts {
        id: SubscriptionId,
        limit: u8,
        next: Option<String>,
    },
    Notes(SubscriptionId),
    AddNote {
        id: SubscriptionId,
        text: String,
    },
    Deliveries {
        state: DeliveryState,
        next: Option<String>,
    },
    Recover {
        recovery: Recovery,
        /// The one receiver whose events are sent again; `None`: all of them.
        receiver: Option<String>,
        next: Option<String>,
    },
    Receivers,
    PauseReceiver {
        name: String,
        note: String,
    },
    /// The receiver with this name.
    ResumeReceiver(String),
    Offers,
    /// By offer id; empty to remove them.
    SetOffers(Map<String, Value>),
    Examine,
    LastExamination,
    SendTestEvent(TestEventRequest),
    /// The event with this id.
    TestEvent(String),
    Reconciliations {
        limit: u8,
        next: Option<String>,
    },
    Reconcile {
        dry_run: bool,
    },
    Pause {
        note: String,
    },
    Resume,
}

/// A request's path as the table writes it; empty for an unknown one.
pub(crate) fn form(request: &Request) -> &'static str {
    let path = request.uri().path().trim_end_matches('/');
    TABLE.iter().map(|entry| entry.path).find(|form| fit(form, path).is_some()).unwrap_or_default()
}

impl Route {
    pub(crate) fn subscription(&self) -> Option<SubscriptionId> {
        match self {
            Self::List { .. }
            | Self::ListOpen { .. }
            | Self::Document
            | Self::Deliveries { .. }
            | Self::Recover { .. }
            | Self::Receivers
            | Self::PauseReceiver { .. }
            | Self::ResumeReceiver(_)
            | Self::Offers
            | Self::SetOffers(_)
            | Self::Examine
            | Self::LastExamination
            | Self::SendTestEvent(_)
            | Self::TestEvent(_)
            | Self::Reconciliations { .. }
            | Self::Reconcile { .. }
            | Self::Pause { .. }
            | Self::Resume => None,
            Self::Read(id)
            | Self::Events { id, .. }
            | Self::Plans(id)
            | Self::Operations(id)
            | Self::Operation(id, _)
            | Self::RequestChange { id, .. }
            | Self::Annotate(id, _)
            | Self::Observe(id)
            | Self::DeliveriesOf(id)
            | Self::Attempts { id, .. }
            | Self::Notes(id)
            | Self::AddNote { id, .. }
            | Self::Decline { id, .. }
            | Self::Erase(id)
            | Self::Redeliver { id, .. } => Some(*id),
        }
    }

    /// Parses a request.
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        let path = request.uri().path().trim_end_matches('/');
        // The path decides before the method does: `openapi.json` is not a subscription's id.
        let (form, parts) = TABLE
            .iter()
            .find_map(|entry| Some((entry.path, fit(entry.path, path)?)))
            .ok_or_else(no_route)?;
        let entry = TABLE
            .iter()
            .find(|entry| entry.path == form && entry.method == *request.method())
            .ok_or_else(|| method_not_allowed(form))?;
        let parameters = Parameters::read(request, entry.query)?;
        let id = || match parts.first().map(|id| id.parse()) {
            Some(Ok(id)) => Ok(id),
            Some(Err(_)) | None => Err(malformed("the subscription's id is not a GUID")),
        };
        let name = || parts.first().copied().unwrap_or_default().to_owned();
        Ok(match entry.call {
            Call::List => {
                let query = list_query(&parameters)?;
                let next = parameters.filled(Query::Next).map(cursor::decode).transpose()?;
                match parameters.given(Query::Delivery).map(delivery_state).transpose()? {
                    None => Self::List { query, next },
                    // The index of what is due has an order of its own, and pages of its own.
                    Some(state)
                        if query.by == ListBy::All && parameters.given(Query::Limit).is_none() =>
                    {
                        Self::ListOpen { state, filter: query.filter, next }
                    }
                    Some(_) => {
                        return Err(malformed(
                            "`delivery` can't be used with `search`, `sort` or `limit`",
                        ));
                    }
                }
            }
            Call::Document => Self::Document,
            Call::Read => Self::Read(id()?),
            Call::Change => match (id()?, change_request::parse(request.body())?) {
                (id, Patch::Request { change, reason }) => {
                    Self::RequestChange { id, change, reason }
                }
                (id, Patch::Annotate(patch)) => Self::Annotate(id, patch),
            },
            Call::Cancel => {
                Self::RequestChange { id: id()?, change: ChangeRequest::Cancel, reason: None }
            }
            Call::Events => Self::Events {
                id: id()?,
                after: match parameters.given(Query::After) {
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
                parts
                    .get(1)
                    .and_then(|id| OperationId::from_segment(id))
                    .ok_or_else(|| malformed("the operation's id can't be one of Microsoft's"))?,
            ),
            Call::Observe => Self::Observe(id()?),
            Call::Redeliver => {
                Self::Redeliver { id: id()?, from_version: from_version(request.body())? }
            }
            Call::DeliveriesOf => Self::DeliveriesOf(id()?),
            Call::Attempts => Self::Attempts {
                id: id()?,
                limit: parameters.given(Query::Limit).map_or(Ok(LARGEST_PAGE), limit)?,
                next: parameters.filled(Query::Next).map(cursor::decode).transpose()?,
            },
            Call::Notes => Self::Notes(id()?),
            Call::AddNote => {
                Self::AddNote { id: id()?, text: note_request::parse(request.body())? }
            }
            Call::Deliveries => Self::Deliveries {
                state: delivery_state(parameters.given(Query::State).unwrap_or_default())?,
                next: parameters.filled(Query::Next).map(cursor::decode).transpose()?,
            },
            Call::Recover => recovery(request.body())?,
            Call::Receivers => Self::Receivers,
            Call::PauseReceiver => Self::PauseReceiver {
                name: name(),
                note: run_request::optional_note(request.body())?,
            },
            Call::ResumeReceiver => Self::ResumeReceiver(name()),
            Call::Offers => Self::Offers,
            Call::SetOffers => Self::SetOffers(offers_request::parse(request.body())?),
            Call::ClearOffers => Self::SetOffers(Map::new()),
            Call::Decline => {
                Self::Decline { id: id()?, reason: change_request::reason(request.body())? }
            }
            Call::Erase => Self::Erase(id()?),
            Call::Examine => Self::Examine,
            Call::LastExamination => Self::LastExamination,
            Call::SendTestEvent => Self::SendTestEvent(test_event_request::wanted(request.body())?),
            Call::TestEvent => Self::TestEvent(name()),
            Call::Reconciliations => Self::Reconciliations {
                limit: parameters.given(Query::Limit).map_or(Ok(LARGEST_PAGE), limit)?,
                next: parameters.filled(Query::Next).map(cursor::decode).transpose()?,
            },
            Call::Reconcile => {
                Self::Reconcile { dry_run: run_request::is_dry_run(request.body())? }
            }
            Call::Pause => Self::Pause { note: run_request::note(request.body())? },
            Call::Resume => Self::Resume,
        })
    }
}

fn list_query(parameters: &Parameters) -> Result<ListQuery, Problem> {
    let sort = parameters.given(Query::Sort).map(sort).transpose()?;
    let search = parameters.word(Query::Search)?.map(search).transpose()?;
    let by = match (sort, search) {
        (None, None) => ListBy::All,
        (Some(sort), None) => ListBy::Sort(sort),
        (None, Some(text)) => ListBy::Search(text),
        (Some(_), Some(_)) => {
            return Err(malformed(
                "`search` has an order of its own and can't be used with `sort`",
            ));
        }
    };
    // As a form sends a filter that is left open.
    let filled = |word: Option<&str>| word.filter(|word| !word.is_empty()).map(str::to_owned);
    let filter = Filter {
        status: filled(parameters.word(Query::Status)?).as_deref().map(Status::from),
        offer_id: filled(parameters.word(Query::Offer)?),
        is_test: flag(parameters, Query::Test)?,
        is_unclaimed: flag(parameters, Query::Unclaimed)?,
    };
    let limit = parameters.given(Query::Limit).map_or(Ok(LARGEST_PAGE), limit)?;
    Ok(ListQuery { by, filter, limit })
}

fn search(text: &str) -> Result<SearchTerm, Problem> {
    let least = SearchTerm::SHORTEST;
    SearchTerm::of(text)
        .ok_or_else(|| malformed(&format!("`search` needs at least {least} characters")))
}

fn flag(parameters: &Parameters, query: Query) -> Result<Option<bool>, Problem> {
    let wrong = |_| malformed(&format!("`{}` is neither `true` nor `false`", query.name()));
    parameters.given(query).map(|word| word.parse().map_err(wrong)).transpose()
}

fn limit(number: &str) -> Result<u8, Problem> {
    let limit = number.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
    limit.ok_or_else(|| malformed(&format!("`limit` is not a number from 1 to {LARGEST_PAGE}")))
}

fn sort(name: &str) -> Result<Sort, Problem> {
    let sort = Sort::ALL.into_iter().find(|sort| sort.name() == name);
    sort.ok_or_else(|| malformed("`sort` is neither `lastChange` nor `termEnd`"))
}

fn delivery_state(name: &str) -> Result<DeliveryState, Problem> {
    let state = DeliveryState::OPEN.into_iter().find(|state| name == state.name());
    state.ok_or_else(|| malformed("the state of a delivery must be `waiting` or `parked`"))
}

/// The parts of a path that fill the names in braces, if the path has this form.
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

/// Reads the optional body of a redelivery.
fn from_version(body: &[u8]) -> Result<Option<u64>, Problem> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Body {
        #[serde(default, deserialize_with = "json_integer::read")]
        from_version: Option<u64>,
    }
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    match strict_object(body) {
        Some(Body { from_version: Some(0) }) | None => {
            Err(malformed("the body must be empty or {\"fromVersion\": a version, at least 1}"))
        }
        Some(Body { from_version }) => Ok(from_version),
    }
}

/// Reads the body of a recovery.
fn recovery(body: &[u8]) -> Result<Route, Problem> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        state: Option<String>,
        since: Option<Timestamp>,
        receiver: Option<String>,
        next: Option<String>,
    }
    let recovery = |body: &Body| match (body.state.as_deref(), body.since) {
        (Some("parked"), None) => Some(Recovery::Parked),
        (None, Some(since)) => Some(Recovery::Since(since)),
        _ => None,
    };
    let body: Option<Body> = strict_object(body);
    match body.and_then(|body| Some((recovery(&body)?, body))) {
        Some((recovery, Body { receiver, next, .. })) => {
            let next = next.as_deref().map(cursor::decode).transpose()?;
            Ok(Route::Recover { recovery, receiver, next })
        }
        None => Err(malformed(
            "the body must be {\"state\": \"parked\"} or {\"since\": a time}, and may have the name of a `receiver`, and `next` of the answer before",
        )),
    }
}

fn method_not_allowed(path: &str) -> Problem {
    let entries = TABLE.iter().filter(|entry| entry.path == path);
    let methods: Vec<_> = entries.map(|entry| entry.method.as_str()).collect();
    Problem::method_not_allowed(methods.join(", "))
}

fn no_route() -> Problem {
    ErrorCode::NoRoute.with("there is no such call")
}
