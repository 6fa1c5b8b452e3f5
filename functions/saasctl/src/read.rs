//! Looking at things.

use std::io::{IsTerminal as _, Write as _};

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Api, Call};
use crate::failure::Failure;
use crate::table::{Output, Table, change_of, seats, text, when};

/// What a query value holds unencoded: what a signature takes for encoded already (RFC 3986, 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// All pages of all subscriptions that are meant.
pub async fn list(
    api: &Api,
    output: &Output,
    status: Option<&str>,
    offer: Option<&str>,
) -> Result<(), Failure> {
    let (mut all, mut next) = (Vec::new(), None::<String>);
    loop {
        let query: Vec<_> = [("status", status), ("offer", offer), ("next", next.as_deref())]
            .into_iter()
            .filter_map(|(name, value)| Some((name, utf8_percent_encode(value?, UNRESERVED))))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let mut page = api.get(query).await?;
        if let Value::Array(mut records) = page["subscriptions"].take() {
            all.append(&mut records);
        }
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
        progress(&format!("{} subscriptions so far", all.len()));
    }
    progress("");
    if output.json {
        return output.print(&json!({ "subscriptions": all }).to_string());
    }
    let mut table =
        Table::of(&["Subscription", "Name", "Offer", "Plan", "Seats", "Status", "Until"]);
    for record in &all {
        let subscription = &record["subscription"];
        table.row([
            text(&subscription["id"]),
            text(&subscription["name"]),
            text(&subscription["offerId"]),
            text(&subscription["planId"]),
            seats(&subscription["quantity"]),
            text(&subscription["saasSubscriptionStatus"]),
            when(&subscription["term"]["endDate"], true),
        ]);
    }
    output.print(&table.or_none("There are no such subscriptions."))
}

/// One record.
pub async fn show(api: &Api, output: &Output, id: Uuid) -> Result<(), Failure> {
    let record = api.get(format!("/{id}")).await?;
    output.print(&record_text(output, &record))
}

/// Microsoft's copy, now.
pub async fn observe(api: &Api, output: &Output, id: Uuid) -> Result<(), Failure> {
    let answer = api.call(&Call::new(Method::POST, format!("/{id}/observe"))).await?;
    output.print(&record_text(output, &answer.body))
}

/// A record, for whoever reads it.
pub fn record_text(output: &Output, record: &Value) -> String {
    if output.json {
        return record.to_string();
    }
    let subscription = &record["subscription"];
    let term = &subscription["term"];
    let pending = &record["pendingOperation"];
    let mut table = Table::of(&[]);
    for (name, value) in [
        ("Subscription", text(&subscription["id"])),
        ("Name", text(&subscription["name"])),
        ("Offer", text(&subscription["offerId"])),
        ("Plan", text(&subscription["planId"])),
        ("Seats", seats(&subscription["quantity"])),
        ("Status", text(&subscription["saasSubscriptionStatus"])),
        ("Term", text(&term["termUnit"])),
        ("From", when(&term["startDate"], true)),
        ("Until", when(&term["endDate"], true)),
        ("Renews", text(&subscription["autoRenew"])),
        ("Beneficiary", text(&subscription["beneficiary"]["emailId"])),
        ("Purchaser", text(&subscription["purchaser"]["emailId"])),
        ("Activation", text(&record["activation"]["state"])),
        ("Waits for", format!("{} {}", text(&pending["action"]), text(&pending["id"]))),
        ("Version", text(&record["version"])),
        ("Changed", when(&record["updatedAt"], false)),
    ] {
        if !value.trim().is_empty() {
            table.row([name.to_owned(), value]);
        }
    }
    table.or_none("")
}

/// What happened, from the first event on.
pub async fn history(api: &Api, output: &Output, id: Uuid) -> Result<(), Failure> {
    let (mut all, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let mut page = api.get(format!("/{id}/events?after={after}")).await?;
        if let Value::Array(mut events) = page["events"].take() {
            all.append(&mut events);
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
        progress(&format!("{} events so far", all.len()));
    }
    progress("");
    if output.json {
        return output.print(&json!({ "events": all }).to_string());
    }
    let mut table = Table::of(&["Version", "When", "What", "Change", "Known by"]);
    for event in &all {
        let by = &event["cause"];
        table.row([
            text(&event["version"]),
            when(&event["recordedAt"], false),
            text(&event["type"]),
            change_of(event),
            [text(&by["by"]), text(&by["action"])].join(" ").trim().to_owned(),
        ]);
    }
    output.print(&table.or_none("Nothing has happened."))
}

/// What is under way at Microsoft.
pub async fn operations(
    api: &Api,
    output: &Output,
    id: Uuid,
    operation: Option<Uuid>,
) -> Result<(), Failure> {
    let (answer, operations) = match operation {
        Some(operation) => {
            let one = api.get(format!("/{id}/operations/{operation}")).await?;
            (one.clone(), vec![one])
        }
        None => {
            let listed = api.get(format!("/{id}/operations")).await?;
            let operations = listed["operations"].as_array().cloned().unwrap_or_default();
            (listed, operations)
        }
    };
    if output.json {
        return output.print(&answer.to_string());
    }
    let mut table =
        Table::of(&["Operation", "Action", "Plan", "Seats", "Status", "Asked by", "When"]);
    for operation in &operations {
        table.row([
            text(&operation["id"]),
            text(&operation["action"]),
            text(&operation["planId"]),
            seats(&operation["quantity"]),
            text(&operation["status"]),
            text(&operation["operationRequestSource"]),
            when(&operation["timeStamp"], false),
        ]);
    }
    output.print(&table.or_none("No operation is under way."))
}

/// What the customer may change to.
pub async fn plans(api: &Api, output: &Output, id: Uuid) -> Result<(), Failure> {
    let answer = api.get(format!("/{id}/plans")).await?;
    if output.json {
        return output.print(&answer.to_string());
    }
    let mut table = Table::of(&["Plan", "Name", "Seats", "Private", "No longer sold"]);
    for plan in answer["plans"].as_array().into_iter().flatten() {
        let seats = match (plan["minQuantity"].as_u64(), plan["maxQuantity"].as_u64()) {
            (None, None) => String::new(),
            (least, most) => format!(
                "{} to {}",
                least.map_or("any".to_owned(), |least| least.to_string()),
                most.map_or("any".to_owned(), |most| most.to_string())
            ),
        };
        let yes = |value: &Value| if *value == true { "yes".to_owned() } else { String::new() };
        table.row([
            text(&plan["planId"]),
            text(&plan["displayName"]),
            seats,
            yes(&plan["isPrivate"]),
            yes(&plan["isStopSell"]),
        ]);
    }
    output.print(&table.or_none("Microsoft offers no plans to this customer."))
}

/// What is going on, where a person looks; each line takes the place of the one before.
fn progress(text: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\u{1b}[K{text}");
    }
}
