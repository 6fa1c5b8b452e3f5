//! Commands that only read.

use http::Method;
use serde_json::Value;
use shared::domain::OperationId;
use uuid::Uuid;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::record::record_text;
use crate::table::{Table, seats, text, when};

pub(crate) async fn show(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
    let record = api.get(format!("/{id}")).await?;
    output.print(&record_text(output, &record))
}

pub(crate) async fn observe(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
    let answer = api.call(&ApiCall::new(Method::POST, format!("/{id}/observe"))).await?;
    output.print(&record_text(output, &answer.body))
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
