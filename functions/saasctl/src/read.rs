//! Commands that only read.

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use shared::domain::OperationId;
use shared::store::Sort;
use uuid::Uuid;

use crate::api::{Api, ApiCall};
use crate::arguments::ListOrder;
use crate::command_error::CommandError;
use crate::output::Output;
use crate::record::record_text;
use crate::table::{Table, change_of, seats, text, when};

/// The characters that a query value keeps unencoded (RFC 3986, 2.3). A signature covers the query
/// in this encoding.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Lists all pages of the matching subscriptions.
pub(crate) async fn list(
    api: &Api,
    output: &Output,
    status: Option<&str>,
    offer: Option<&str>,
    order: Option<ListOrder>,
) -> Result<(), CommandError> {
    let sort = order.map(|order| Sort::from(order).name());
    let (mut all, mut next) = (Vec::new(), None::<String>);
    loop {
        let next_page = next.as_deref();
        let query: Vec<_> =
            [("status", status), ("offer", offer), ("sort", sort), ("next", next_page)]
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
        output.progress(&format!("{} subscriptions so far", all.len()));
    }
    output.progress("");
    if output.json {
        return output.print(&json!({ "subscriptions": all }).to_string());
    }
    // The last column is what the list is sorted by.
    let is_by_change = order == Some(ListOrder::LastChange);
    let last = if is_by_change { "Last change" } else { "Term end" };
    let mut table = Table::of(&["Subscription", "Name", "Offer", "Plan", "Seats", "Status", last]);
    for record in &all {
        let subscription = &record["subscription"];
        table.row([
            text(&subscription["id"]),
            text(&subscription["name"]),
            text(&subscription["offerId"]),
            text(&subscription["planId"]),
            seats(&subscription["quantity"]),
            text(&subscription["saasSubscriptionStatus"]),
            if is_by_change {
                when(&record["updatedAt"], false)
            } else {
                when(&subscription["term"]["endDate"], true)
            },
        ]);
    }
    output.print(&table.or_if_empty("No subscriptions."))
}

pub(crate) async fn show(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
    let record = api.get(format!("/{id}")).await?;
    output.print(&record_text(output, &record))
}

pub(crate) async fn observe(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
    let answer = api.call(&ApiCall::new(Method::POST, format!("/{id}/observe"))).await?;
    output.print(&record_text(output, &answer.body))
}

pub(crate) async fn history(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
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
        output.progress(&format!("{} events so far", all.len()));
    }
    output.progress("");
    if output.json {
        return output.print(&json!({ "events": all }).to_string());
    }
    let mut table = Table::of(&["Version", "When", "Event", "Change", "Source"]);
    for event in &all {
        let cause = &event["cause"];
        table.row([
            text(&event["version"]),
            when(&event["recordedAt"], false),
            text(&event["type"]),
            change_of(event),
            [text(&cause["by"]), text(&cause["action"])].join(" ").trim().to_owned(),
        ]);
    }
    output.print(&table.or_if_empty("No events."))
}

pub(crate) async fn operations(
    api: &Api,
    output: &Output,
    id: Uuid,
    operation: Option<&OperationId>,
) -> Result<(), CommandError> {
    let (answer, operations) = match operation {
        Some(operation) => {
            let one = api.get(format!("/{id}/operations/{}", operation.escaped())).await?;
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
        Table::of(&["Operation", "Action", "Plan", "Seats", "Status", "Requested by", "When"]);
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
    output.print(&table.or_if_empty("No pending operations."))
}

pub(crate) async fn plans(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
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
    output.print(&table.or_if_empty("No plans are available to this customer."))
}
