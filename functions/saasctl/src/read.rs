//! Commands that only read.

use http::Method;
use serde_json::Value;
use shared::domain::OperationId;
use unicode_width::UnicodeWidthStr as _;
use uuid::Uuid;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::differences::differences;
use crate::output::Output;
use crate::record::record_text;
use crate::table::{Table, seats, terminal_width, text, when};

pub(crate) async fn show(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
    let record = api.get(format!("/{id}")).await?;
    output.print(&record_text(output, &record))
}

/// Reads Microsoft's copy, and says how the record differed from it.
pub(crate) async fn observe(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
    let observe = ApiCall::new(Method::POST, format!("/{id}/observe"));
    if output.json {
        return output.print(&api.call(&observe).await?.body.to_string());
    }
    let before = match api.get(format!("/{id}")).await {
        Ok(before) => Some(before),
        Err(error) if error.code() == "unknown_subscription" => None,
        Err(error) => return Err(error),
    };
    let after = api.call(&observe).await?.body;
    output.note(&observed(before.as_ref(), &after));
    output.print(&record_text(output, &after))
}

fn observed(before: Option<&Value>, after: &Value) -> String {
    let Some(before) = before else {
        return "Microsoft was asked just now. The subscription was not recorded before."
            .to_owned();
    };
    let differed = differences(&before["subscription"], &after["subscription"]);
    if differed.is_empty() {
        return "Microsoft was asked just now. Its copy is what was recorded.".to_owned();
    }
    let lines: Vec<_> = differed.iter().map(|line| format!("\n  {line}")).collect();
    format!("Microsoft was asked just now. Its copy differed, and is recorded:{}", lines.concat())
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
    output.print(&printed(&operations, terminal_width()))
}

/// A line for each operation. Where they don't fit the terminal, each has several short lines, so that no id
/// is broken.
fn printed(operations: &[Value], width: Option<usize>) -> String {
    let mut table = Table::unwrapped(&[
        "Operation",
        "Action",
        "Plan",
        "Seats",
        "Status",
        "Requested by",
        "When",
    ]);
    let rows: Vec<_> = operations.iter().map(row).collect();
    rows.iter().for_each(|row| table.row(row.clone()));
    let wide = table.or_if_empty("No pending operations.");
    match width {
        Some(width) if wide.lines().any(|line| line.width() > width) => {
            rows.iter().map(block).collect::<Vec<_>>().join("\n")
        }
        _ => wide,
    }
}

fn row(operation: &Value) -> [String; 7] {
    [
        text(&operation["id"]),
        text(&operation["action"]),
        text(&operation["planId"]),
        seats(&operation["quantity"]),
        text(&operation["status"]),
        text(&operation["operationRequestSource"]),
        when(&operation["timeStamp"], false),
    ]
}

fn block([id, action, plan, seats, status, source, at]: &[String; 7]) -> String {
    let seats = if seats.is_empty() { String::new() } else { format!("  seats {seats}") };
    format!("{id}  {action}  {status}\n  {plan}{seats}\n  requested by {source}  {at}")
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_observation_says_what_differed() {
        let record =
            |seats: u64| json!({ "subscription": { "planId": "basic", "quantity": seats } });
        let says = |before: Option<Value>| observed(before.as_ref(), &record(12));
        assert!(says(None).ends_with("was not recorded before."), "{}", says(None));
        assert!(says(Some(record(12))).ends_with("Its copy is what was recorded."));
        assert!(says(Some(record(10))).ends_with("is recorded:\n  quantity 10 → 12"));
    }

    #[test]
    fn no_id_of_an_operation_is_broken_at_80_columns() {
        let id = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";
        let operation = json!({
            "id": id, "action": "ChangeQuantity", "planId": "enterprise-plus", "quantity": 1200,
            "status": "InProgress", "operationRequestSource": "Azure",
            "timeStamp": "2026-03-10T12:00:00Z",
        });
        let expected = format!(
            "{id}  ChangeQuantity  InProgress\n  enterprise-plus  seats 1200\n  requested by Azure  \
             2026-03-10 12:00:00"
        );
        assert_eq!(printed(std::slice::from_ref(&operation), Some(80)), expected);
        assert_eq!(printed(&[operation], None).lines().count(), 2, "one line in a pipe");
        assert_eq!(printed(&[], Some(80)), "No pending operations.");
    }
}
