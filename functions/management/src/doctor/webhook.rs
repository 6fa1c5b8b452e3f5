//! When Microsoft last called the webhook, and on which host.

use jiff::Timestamp;
use shared::store::{Sighting, StoreError};

use super::ago::ago;
use super::finding::Finding;
use super::table::unread;

const WEBHOOK: &str = "webhook";

const PLACE: &str =
    "Partner Center > Technical configuration > Connection webhook: the output WebhookUrl";

/// `asked_at` is the host that the API was asked at, if a gateway says so.
pub(super) fn webhook(
    seen: &Result<Vec<(Sighting, Timestamp)>, StoreError>,
    asked_at: Option<&str>,
    now: Timestamp,
) -> Finding {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return unread(WEBHOOK, error),
    };
    let mut calls: Vec<(&str, Timestamp)> = seen
        .iter()
        .filter_map(|(sighting, at)| match sighting {
            Sighting::Webhook { host } => Some((host.as_str(), *at)),
            Sighting::Sweep => None,
        })
        .collect();
    calls.sort_unstable_by_key(|(_, at)| std::cmp::Reverse(*at));
    let Some((host, at)) = calls.first().copied() else {
        return Finding::warning(
            WEBHOOK,
            "Microsoft has not called the webhook yet. That's normal until the first purchase changes. If \
             one already has, enter the webhook's address in Partner Center and publish the offer.",
            PLACE,
        );
    };
    let last = format!("Microsoft last called the webhook {}{}.", ago(at, now), on(host));
    let domain = asked_at
        .into_iter()
        .chain(calls.iter().map(|(host, _)| *host))
        .find(|host| !host.is_empty() && !is_the_apis_own(host));
    let old = calls.iter().find(|(host, _)| is_the_apis_own(host));
    match (domain, old) {
        (Some(domain), Some((old, _))) if *old == host => Finding::warning(
            WEBHOOK,
            format!(
                "{last} That is the API's own host, and not {domain}: enter the domain's address in \
                 Partner Center. Until calls come there, DefaultEndpoint must stay enabled."
            ),
            PLACE,
        ),
        (Some(_), Some((old, at))) => Finding::ok(
            WEBHOOK,
            format!(
                "{last} The last call on the API's own host {old} was {}. Microsoft repeats a call \
                 for hours: once that is more than a day, DefaultEndpoint can be disabled.",
                ago(*at, now)
            ),
        ),
        _ => Finding::ok(WEBHOOK, last),
    }
}

fn on(host: &str) -> String {
    if host.is_empty() { String::new() } else { format!(", on {host}") }
}

/// Whether API Gateway made up the host, and no domain stands in front.
fn is_the_apis_own(host: &str) -> bool {
    host.contains(".execute-api.")
}
