//! The events of all subscriptions, as they are recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::api::{Api, query};
use crate::command_error::CommandError;
use crate::history::{change_of, who};
use crate::options::TailOptions;
use crate::output::Output;
use crate::table::{terminal_width, text, when};
use crate::wrapped::wrapped;

/// The list of changes lags behind the records. A change that is older than the newest one by less than this is
/// looked for again.
const LAG: Duration = Duration::from_secs(30);

/// Prints what is recorded from now on, or since a time, until the command is stopped.
pub(crate) async fn tail(
    api: &Api,
    output: &Output,
    options: &TailOptions,
) -> Result<(), CommandError> {
    let mut tail = match options.since {
        Some(since) => Tail { since, seen: BTreeMap::new() },
        None => Tail::from_now(api).await?,
    };
    loop {
        for event in tail.next(api).await? {
            output.print(&printed(output, &event, terminal_width()))?;
        }
        if options.no_follow {
            return Ok(());
        }
        tokio::time::sleep(options.poll).await;
    }
}

/// Where a tail stands.
struct Tail {
    /// Changes before this time were looked at.
    since: Timestamp,
    /// The version that was printed last, of the subscriptions that have changed since then.
    seen: BTreeMap<String, (u64, Timestamp)>,
}

impl Tail {
    /// Begins after the last change. The API's clock counts, not this machine's.
    async fn from_now(api: &Api) -> Result<Self, CommandError> {
        let page = api.get("?sort=lastChange&limit=1".to_owned()).await?;
        let last = &page["subscriptions"][0];
        let at = changed_at(last).unwrap_or(Timestamp::UNIX_EPOCH);
        let seen = text(&last["subscription"]["id"]);
        let version = last["version"].as_u64().unwrap_or(0);
        Ok(Self { since: at, seen: BTreeMap::from([(seen, (version, at))]) })
    }

    /// The events that are new, in the order in which they were recorded.
    async fn next(&mut self, api: &Api) -> Result<Vec<Value>, CommandError> {
        let mut events = Vec::new();
        let mut newest = self.since;
        for record in self.changed(api).await? {
            let id = text(&record["subscription"]["id"]);
            let version = record["version"].as_u64().unwrap_or(0);
            let at = changed_at(&record).unwrap_or(self.since);
            newest = newest.max(at);
            let before = self.seen.get(&id).map(|(version, _)| *version);
            if before == Some(version) {
                continue;
            }
            events.append(&mut self.events(api, &id, before).await?);
            self.seen.insert(id, (version, at));
        }
        let since = newest.checked_sub(LAG).unwrap_or(newest);
        self.since = self.since.max(since);
        self.seen.retain(|_, (_, at)| *at >= self.since);
        events.sort_by(|one, other| text(&one["recordedAt"]).cmp(&text(&other["recordedAt"])));
        Ok(events)
    }

    /// The records that have changed, from as many pages as needed.
    async fn changed(&self, api: &Api) -> Result<Vec<Value>, CommandError> {
        let (mut all, mut next) = (Vec::new(), None::<String>);
        loop {
            let query = query(&[("sort", Some("lastChange")), ("next", next.as_deref())]);
            let mut page = api.get(query).await?;
            next = page["next"].as_str().map(str::to_owned);
            let records = page["subscriptions"].as_array_mut().map(std::mem::take);
            for record in records.unwrap_or_default() {
                if changed_at(&record).is_some_and(|at| at < self.since) {
                    return Ok(all);
                }
                all.push(record);
            }
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    /// The events after the version that was printed last; of a subscription that is new here, those since the
    /// tail's time.
    async fn events(
        &self,
        api: &Api,
        id: &str,
        before: Option<u64>,
    ) -> Result<Vec<Value>, CommandError> {
        let (mut all, mut after) = (Vec::new(), before.unwrap_or(0).to_string());
        loop {
            let mut page = api.get(format!("/{id}/events?after={after}")).await?;
            if let Value::Array(events) = page["events"].take() {
                let is_new = |event: &Value| {
                    before.is_some() || time(&event["recordedAt"]).is_none_or(|at| at >= self.since)
                };
                all.extend(events.into_iter().filter(is_new));
            }
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => return Ok(all),
            }
        }
    }
}

fn changed_at(record: &Value) -> Option<Timestamp> {
    time(&record["updatedAt"])
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// A line for each event, or two where they don't fit the terminal.
fn printed(output: &Output, event: &Value, width: Option<usize>) -> String {
    if output.json {
        return event.to_string();
    }
    let what = format!("{} {}", text(&event["type"]), change_of(event)).trim_end().to_owned();
    let at = when(&event["recordedAt"], false);
    let (id, who) = (text(&event["subscriptionId"]), who(event));
    let line = format!("{at}  {id}  {what}  {who}");
    match width {
        Some(width) if line.width() > width => {
            let first = format!("{at}  {what}");
            let first = if first.width() <= width {
                first
            } else {
                let lines = wrapped(&what, width.saturating_sub(at.width() + 2));
                let indent = " ".repeat(at.width() + 2);
                format!("{at}  {}", lines.join(&format!("\n{indent}")))
            };
            let below = format!("{id}  {who}");
            let below = wrapped(&below, width.saturating_sub(2));
            let below: Vec<_> = below.iter().map(|line| format!("\n  {line}")).collect();
            format!("{first}{}", below.concat())
        }
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_line_fits_80_columns() {
        let details =
            |name: &str, email: &str| json!({ "name": name, "beneficiary": { "emailId": email } });
        let event = json!({
            "recordedAt": "2026-03-10T12:00:00Z", "type": "DetailsChanged",
            "subscriptionId": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11",
            "before": details("Contoso", "adele@contoso.example"),
            "subscription": details("Contoso Cloud Services", "anna@contoso.example"),
            "cause": { "by": "reconciliation" },
        });
        let printed = printed(&Output { json: false }, &event, Some(80));
        let expected = "\
2026-03-10 12:00:00  DetailsChanged beneficiary.emailId adele@contoso.example →
                     anna@contoso.example; name Contoso → Contoso Cloud Services
  6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11 reconciliation";
        assert_eq!(printed, expected);
    }
}
