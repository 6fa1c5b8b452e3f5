//! Audit lines: who read personal data through the publisher's API or the console. They name the principal, the
//! call and the subscription, and hold none of that data. They are written at every log level.

use tracing::field::display;
use tracing::info;

use crate::domain::SubscriptionId;
use crate::host::correlation;
use crate::host::http::{Principal, Request};

/// Marks a request whose answer is a file that leaves the deployment.
#[derive(Clone, Copy, Debug)]
pub struct Export;

/// What a call's answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Some subscriptions' records.
    Records(usize),
    /// One subscription's record.
    Record(SubscriptionId),
    /// Events of one subscription.
    Events(SubscriptionId, usize),
    /// What receivers answered about one subscription.
    Attempts(SubscriptionId, usize),
    /// Notes about one subscription.
    Notes(SubscriptionId, usize),
}

/// Logs that a call answers with personal data. `route` is its path in the API's description,
/// or that of a page of the console.
pub fn read_personal_data(request: &Request, route: &'static str, shown: Shown) {
    let (subscription, records, events, attempts, notes) = match shown {
        Shown::Records(records) => (None, Some(records), None, None, None),
        Shown::Record(id) => (Some(id), Some(1), None, None, None),
        Shown::Events(id, events) => (Some(id), None, Some(events), None, None),
        Shown::Attempts(id, attempts) => (Some(id), None, None, Some(attempts), None),
        Shown::Notes(id, notes) => (Some(id), None, None, None, Some(notes)),
    };
    let principal = Principal::logged(request);
    let subscription = subscription.map(display);
    // At some levels, the line has no span to name it.
    let correlation_id = correlation::current().map(display);
    info!(
        audit = true,
        principal = principal.as_deref().unwrap_or("unknown"),
        access_key_id = Principal::access_key_id(request),
        method = %request.method(),
        route,
        subscription.id = subscription,
        correlation_id,
        records,
        events,
        attempts,
        notes,
        export = is_export(request),
        "read personal data"
    );
}

/// Whether the console makes a file of the answer, or `saasctl export` asks, by its own word.
fn is_export(request: &Request) -> bool {
    if request.extensions().get::<Export>().is_some() {
        return true;
    }
    let agent = request.headers().get(http::header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    agent.starts_with("saasctl/") && agent.ends_with(" export")
}
