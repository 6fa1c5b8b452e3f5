//! What the product has not accepted yet, and sending it again.

use std::collections::BTreeMap;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::TEST_SUBSCRIPTION;
use unicode_width::UnicodeWidthStr as _;
use uuid::Uuid;

use crate::api::{Api, ApiCall, query};
use crate::attempts;
use crate::command_error::CommandError;
use crate::output::Output;
use crate::table::{Table, shortened, terminal_width, text, when};

/// How many attempts of one subscription are listed.
const ATTEMPTS: usize = 3;

/// Lists the deliveries of one subscription with its last failures, or all that wait or are parked.
pub(crate) async fn deliveries(
    api: &Api,
    output: &Output,
    id: Option<Uuid>,
) -> Result<(), CommandError> {
    let mut names = BTreeMap::new();
    let deliveries = match id {
        Some(id) => {
            let mut answer = api.get(format!("/{id}/deliveries")).await?;
            answer["deliveries"].as_array_mut().map(std::mem::take).unwrap_or_default()
        }
        None => {
            let mut all = Vec::new();
            for state in ["parked", "waiting"] {
                read(api, output, state, &mut all).await?;
                if !output.json {
                    read_names(api, state, &mut names).await?;
                }
            }
            output.progress("");
            // The parked ones first, and of each state the one that waits longest. Times of UTC sort as text.
            let key = |name: &str, delivery: &Value| text(&delivery[name]);
            all.sort_by_key(|delivery| {
                ["state", "waitingSince", "subscriptionId"].map(|name| key(name, delivery))
            });
            all
        }
    };
    let Some(id) = id else {
        if output.json {
            return output.print(&json!({ "deliveries": deliveries }).to_string());
        }
        return output.print(&printed(&deliveries, &names, terminal_width(), "Nothing waits."));
    };
    let failed = attempts::latest(api, id, ATTEMPTS).await?;
    if output.json {
        let both = json!({ "deliveries": deliveries, "attempts": failed });
        return output.print(&both.to_string());
    }
    output.print(&printed(&deliveries, &names, terminal_width(), "No receiver is configured."))?;
    if failed.is_empty() {
        return Ok(());
    }
    let failed = attempts::printed(&failed, id, terminal_width());
    output.print(&format!("\nThe last attempts that failed:\n{failed}"))
}

async fn read(
    api: &Api,
    output: &Output,
    state: &str,
    all: &mut Vec<Value>,
) -> Result<(), CommandError> {
    let mut next = None::<String>;
    loop {
        let query = query(&[("state", Some(state)), ("next", next.as_deref())]);
        let path = format!("/deliveries{query}");
        let mut page = api.call(&ApiCall::at(Method::GET, path)).await?.body;
        if let Value::Array(mut deliveries) = page["deliveries"].take() {
            all.append(&mut deliveries);
        }
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            return Ok(());
        }
        output.progress(&format!("{} deliveries so far", all.len()));
    }
}

/// The names of the subscriptions with deliveries in this state.
async fn read_names(
    api: &Api,
    state: &str,
    names: &mut BTreeMap<String, String>,
) -> Result<(), CommandError> {
    let mut next = None::<String>;
    loop {
        let query = query(&[("delivery", Some(state)), ("next", next.as_deref())]);
        let page = api.get(query).await?;
        let records = page["subscriptions"].as_array().into_iter().flatten();
        names.extend(records.map(|record| {
            let subscription = &record["subscription"];
            (text(&subscription["id"]), text(&subscription["name"]))
        }));
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            return Ok(());
        }
    }
}

/// A line for each. Where they don't fit the terminal, the error has a line of its own.
fn printed(
    deliveries: &[Value],
    names: &BTreeMap<String, String>,
    width: Option<usize>,
    nothing: &str,
) -> String {
    let headings =
        ["Subscription", "Name", "Receiver", "State", "Since", "Tries", "Next try", "Last error"];
    let mut table = Table::unwrapped(&headings);
    let rows: Vec<_> = deliveries.iter().map(|delivery| row(delivery, names)).collect();
    rows.iter().for_each(|row| table.row(row.clone()));
    let wide = table.or_if_empty(nothing);
    match width {
        Some(width) if wide.lines().any(|line| line.width() > width) => {
            rows.iter().map(|row| block(row, width)).collect::<Vec<_>>().join("\n")
        }
        _ => wide,
    }
}

fn row(delivery: &Value, names: &BTreeMap<String, String>) -> [String; 8] {
    let id = text(&delivery["subscriptionId"]);
    let name = match names.get(&id) {
        Some(name) => name.clone(),
        None if id == TEST_SUBSCRIPTION.to_string() => "test events".to_owned(),
        None => String::new(),
    };
    let state = match delivery["state"].as_str() {
        Some("upToDate") => "up to date".to_owned(),
        _ => text(&delivery["state"]),
    };
    [
        id,
        name,
        text(&delivery["receiver"]),
        state,
        when(&delivery["waitingSince"], false),
        text(&delivery["attempts"]),
        when(&delivery["nextAttemptAt"], false),
        text(&delivery["lastError"]),
    ]
}

fn block(
    [id, name, receiver, state, since, tries, next, error]: &[String; 8],
    width: usize,
) -> String {
    let mut lines = vec![format!("{id}  {receiver}  {state}")];
    if !name.is_empty() {
        lines.push(format!("  {}", shortened(name, width.saturating_sub(2))));
    }
    if !since.is_empty() {
        let next = if next.is_empty() { String::new() } else { format!("  next {next}") };
        lines.push(format!("  since {since}  tries {tries}{next}"));
    }
    if !error.is_empty() {
        lines.push(format!("  {error}"));
    }
    lines.join("\n")
}

/// Sends everything that is parked again; or, with a time, everything since then.
pub(crate) async fn recover(
    api: &Api,
    output: &Output,
    since: Option<Timestamp>,
    receiver: Option<&str>,
) -> Result<(), CommandError> {
    let mut body = since.map_or(json!({ "state": "parked" }), |since| json!({ "since": since }));
    if let Some(receiver) = receiver {
        body["receiver"] = json!(receiver);
    }
    let mut recovered = 0;
    loop {
        let call = ApiCall::at(Method::POST, "/deliveries/recover".to_owned()).body(body.clone());
        let answer = api.call(&call).await?.body;
        recovered += answer["recovered"].as_u64().unwrap_or(0);
        body["next"] = answer["next"].clone();
        if body["next"].is_null() {
            break;
        }
        output.progress(&format!("{recovered} deliveries so far"));
    }
    output.progress("");
    if output.json {
        return output.print(&json!({ "recovered": recovered }).to_string());
    }
    output.print(&match recovered {
        0 => "Nothing to send again.".to_owned(),
        1 => "1 delivery is due again. The next sweep sends it, within a minute.".to_owned(),
        many => format!("{many} deliveries are due again. The next sweep begins within a minute."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_is_broken_at_80_columns() {
        let id = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";
        let delivery = json!({
            "subscriptionId": id, "receiver": "endpoint", "state": "parked",
            "waitingSince": "2026-03-10T12:00:00Z", "attempts": 170, "lastError": "answered 500",
            "nextAttemptAt": null,
        });
        let mut test = delivery.clone();
        test["subscriptionId"] = json!(TEST_SUBSCRIPTION);
        let names = BTreeMap::from([(id.to_owned(), "Contoso Cloud".to_owned())]);
        let both = [delivery, test];
        let since = "since 2026-03-10 12:00:00  tries 170\n  answered 500";
        let expected = format!(
            "{id}  endpoint  parked\n  Contoso Cloud\n  {since}\n\
             {TEST_SUBSCRIPTION}  endpoint  parked\n  test events\n  {since}"
        );
        assert_eq!(printed(&both, &names, Some(80), ""), expected);
        assert_eq!(printed(&both, &names, None, "").lines().count(), 3, "one line each in a pipe");
        assert_eq!(printed(&[], &names, Some(80), "Nothing waits."), "Nothing waits.");
    }
}
