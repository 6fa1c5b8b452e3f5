//! Commands that change something.

use std::io::BufRead as _;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use shared::domain::OperationId;
use uuid::Uuid;

use crate::api::{Answer, Api, ApiCall};
use crate::command_error::CommandError;
use crate::options::{RequestOptions, WaitOptions};
use crate::output::Output;
use crate::record::record_text;
use crate::table::{seats, text};
use crate::wait;

/// How often a request is sent in total. All attempts have the same idempotency key, so the API
/// carries it out once.
const ATTEMPTS: u32 = 3;

pub(crate) async fn change_plan(
    api: &Api,
    output: &Output,
    id: Uuid,
    plan: &str,
    reason: Option<&str>,
    options: &RequestOptions,
) -> Result<(), CommandError> {
    let call = ApiCall::new(Method::PATCH, format!("/{id}"))
        .body(with_reason(json!({ "planId": plan }), reason));
    let in_effect = |subscription: &Value| subscription["planId"] == plan;
    request_change(api, output, id, call, options, in_effect).await
}

pub(crate) async fn change_seats(
    api: &Api,
    output: &Output,
    id: Uuid,
    wanted: u64,
    reason: Option<&str>,
    options: &RequestOptions,
) -> Result<(), CommandError> {
    let call = ApiCall::new(Method::PATCH, format!("/{id}"))
        .body(with_reason(json!({ "quantity": wanted }), reason));
    let in_effect = |subscription: &Value| subscription["quantity"] == wanted;
    request_change(api, output, id, call, options, in_effect).await
}

fn with_reason(mut change: Value, reason: Option<&str>) -> Value {
    if let Some(reason) = reason {
        change["reason"] = json!(reason);
    }
    change
}

/// Cancels, after a confirmation unless `yes` is set.
pub(crate) async fn cancel(
    api: &Api,
    output: &Output,
    id: Uuid,
    yes: bool,
    options: &RequestOptions,
) -> Result<(), CommandError> {
    if !yes {
        confirm(api, output, id, "Cancelling ends", "Type yes to cancel it:").await?;
    }
    let call = ApiCall::new(Method::DELETE, format!("/{id}"));
    let in_effect = |subscription: &Value| subscription["saasSubscriptionStatus"] == "Unsubscribed";
    request_change(api, output, id, call, options, in_effect).await
}

/// Declines a purchase, after a confirmation unless `yes` is set.
pub(crate) async fn decline(
    api: &Api,
    output: &Output,
    id: Uuid,
    reason: &str,
    yes: bool,
    options: &RequestOptions,
) -> Result<(), CommandError> {
    if !yes {
        confirm(api, output, id, "Declining ends", "Type yes to decline it:").await?;
    }
    let call = ApiCall::new(Method::POST, format!("/{id}/decline"));
    let call = call.body(json!({ "reason": reason }));
    let in_effect = |subscription: &Value| subscription["saasSubscriptionStatus"] == "Unsubscribed";
    request_change(api, output, id, call, options, in_effect).await
}

async fn confirm(
    api: &Api,
    output: &Output,
    id: Uuid,
    what: &str,
    question: &str,
) -> Result<(), CommandError> {
    let record = api.get(format!("/{id}")).await?;
    let subscription = &record["subscription"];
    output.note(&format!(
        "{what} {} {} ({}), which is {}, for good.",
        text(&subscription["id"]),
        text(&subscription["name"]),
        match seats(&subscription["quantity"]).as_str() {
            "" => text(&subscription["planId"]),
            "1" => format!("{}, 1 seat", text(&subscription["planId"])),
            seats => format!("{}, {seats} seats", text(&subscription["planId"])),
        },
        text(&subscription["saasSubscriptionStatus"]),
    ));
    confirmed(output, question)
}

/// Asks for a `yes`.
pub(crate) fn confirmed(output: &Output, question: &str) -> Result<(), CommandError> {
    output.note(question);
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(_) if line.trim() == "yes" => Ok(()),
        Ok(_) | Err(_) => Err(CommandError::Declined),
    }
}

pub(crate) async fn activate(
    api: &Api,
    output: &Output,
    id: Uuid,
    reason: Option<&str>,
    options: &WaitOptions,
) -> Result<(), CommandError> {
    let mut call = ApiCall::new(Method::POST, format!("/{id}/activate"));
    if let Some(reason) = reason {
        call = call.body(json!({ "reason": reason }));
    }
    let Answer { status, body, .. } = api.call(&call).await?;
    if status == StatusCode::OK {
        output.note("The subscription is active.");
        return output.print(&record_text(output, &body));
    }
    if !options.wait {
        output.note("Microsoft has accepted the activation. It is not in effect yet.");
        return output.print(&record_text(output, &body));
    }
    let record = wait::for_activation(api, output, id, options).await?;
    output.print(&record_text(output, &record))
}

pub(crate) async fn redeliver(
    api: &Api,
    output: &Output,
    id: Uuid,
    from: Option<u64>,
) -> Result<(), CommandError> {
    let mut call = ApiCall::new(Method::POST, format!("/{id}/redeliver"));
    if let Some(version) = from {
        call = call.body(json!({ "fromVersion": version }));
    }
    let answer = api.call(&call).await?.body;
    if output.json {
        return output.print(&answer.to_string());
    }
    let targets: Vec<_> = answer["targets"].as_array().into_iter().flatten().map(text).collect();
    let targets = targets.join(", ");
    output.print(&match from {
        Some(version) => format!(
            "Events are due again from version {version}, to: {targets}.\nThe next sweep sends them."
        ),
        None => format!(
            "Events are due again from where it stopped, to: {targets}.\nThe next sweep sends them."
        ),
    })
}

/// Requests a change from Microsoft, and waits until it is in effect if the options say so.
async fn request_change(
    api: &Api,
    output: &Output,
    id: Uuid,
    call: ApiCall,
    options: &RequestOptions,
    in_effect: impl Fn(&Value) -> bool,
) -> Result<(), CommandError> {
    let key = options.key.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
    let call = call.key(&key).if_version(options.if_version);
    let pause = options.wait.patience.poll;
    let answer = send(api, output, &call, pause).await.map_err(|failure| match failure {
        // The API may have sent the request to Microsoft before its answer was lost.
        CommandError::NoAnswer(detail) => CommandError::OutcomeUnknown(format!(
            "{detail}; to retry this request, add --key {key}"
        )),
        failure => failure,
    })?;
    let operation = answer["operationId"].as_str().and_then(OperationId::new);
    if options.wait.wait {
        let record =
            wait::for_change(api, output, id, operation.as_ref(), &options.wait, in_effect).await?;
        return output.print(&record_text(output, &record));
    }
    if output.json {
        return output.print(&answer.to_string());
    }
    match operation {
        Some(operation) => output.print(&format!(
            "Microsoft has accepted the request: operation {0}.\n\
             To see its progress: saasctl operations {id} {0}",
            operation.escaped()
        )),
        None => output.print("Microsoft has accepted the request, but named no operation."),
    }
}

/// Sends a request with an idempotency key, and repeats it if that may help.
pub(crate) async fn send(
    api: &Api,
    output: &Output,
    call: &ApiCall,
    pause: Duration,
) -> Result<Value, CommandError> {
    let mut attempt = 1;
    loop {
        match api.call(call).await {
            Ok(answer) => return Ok(answer.body),
            Err(failure) if failure.may_be_retried() && attempt < ATTEMPTS => {
                output.note(&format!("{failure}; retrying with the same idempotency key"));
                tokio::time::sleep(pause).await;
                attempt += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
}
