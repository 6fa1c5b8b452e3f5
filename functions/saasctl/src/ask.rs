//! Acting on subscriptions.

use std::io::BufRead as _;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Answer, Api, Call};
use crate::arguments::{AskedHow, Follow};
use crate::failure::Failure;
use crate::read::record_text;
use crate::table::{Output, seats, text};
use crate::wait;

/// How often a request is sent whose answer doesn't arrive; under one key, it is carried out once.
const ATTEMPTS: u32 = 3;

/// Another plan.
pub async fn change_plan(
    api: &Api,
    output: &Output,
    id: Uuid,
    plan: &str,
    how: &AskedHow,
) -> Result<(), Failure> {
    let call = Call::new(Method::PATCH, format!("/{id}")).body(json!({ "planId": plan }));
    asked(api, output, id, call, how, |subscription| subscription["planId"] == plan).await
}

/// Another number of seats.
pub async fn change_seats(
    api: &Api,
    output: &Output,
    id: Uuid,
    wanted: u64,
    how: &AskedHow,
) -> Result<(), Failure> {
    let call = Call::new(Method::PATCH, format!("/{id}")).body(json!({ "quantity": wanted }));
    asked(api, output, id, call, how, |subscription| subscription["quantity"] == wanted).await
}

/// The end, once it is certain that it is meant.
pub async fn cancel(
    api: &Api,
    output: &Output,
    id: Uuid,
    yes: bool,
    how: &AskedHow,
) -> Result<(), Failure> {
    if !yes {
        let record = api.get(format!("/{id}")).await?;
        let subscription = &record["subscription"];
        output.note(&format!(
            "{} {} ({} {}), {}: cancelled, it is over for good.",
            text(&subscription["id"]),
            text(&subscription["name"]),
            text(&subscription["planId"]),
            seats(&subscription["quantity"]),
            text(&subscription["saasSubscriptionStatus"]),
        ));
        output.note("Type yes to cancel it:");
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        if read.is_err() || line.trim() != "yes" {
            return Err(Failure::Declined);
        }
    }
    let call = Call::new(Method::DELETE, format!("/{id}"));
    let is_over = |subscription: &Value| subscription["saasSubscriptionStatus"] == "Unsubscribed";
    asked(api, output, id, call, how, is_over).await
}

/// Billing begins.
pub async fn activate(
    api: &Api,
    output: &Output,
    id: Uuid,
    follow: &Follow,
) -> Result<(), Failure> {
    let Answer { status, body } =
        api.call(&Call::new(Method::POST, format!("/{id}/activate"))).await?;
    if status == StatusCode::OK {
        output.note("Active.");
        return output.print(&record_text(output, &body));
    }
    if !follow.wait {
        output.note("Microsoft was told; it is active once its copy says so.");
        return output.print(&record_text(output, &body));
    }
    let record = wait::for_activation(api, output, id, follow).await?;
    output.print(&record_text(output, &record))
}

/// Events once more.
pub async fn redeliver(
    api: &Api,
    output: &Output,
    id: Uuid,
    from: Option<u64>,
) -> Result<(), Failure> {
    let mut call = Call::new(Method::POST, format!("/{id}/redeliver"));
    if let Some(version) = from {
        call = call.body(json!({ "fromVersion": version }));
    }
    let answer = api.call(&call).await?.body;
    if output.json {
        return output.print(&answer.to_string());
    }
    let targets: Vec<_> = answer["targets"].as_array().into_iter().flatten().map(text).collect();
    let from = from.map_or("where it stopped".to_owned(), |version| format!("version {version}"));
    output.print(&format!("Told again from {from} on: {}.", targets.join(", ")))
}

/// Asks Microsoft for something, and stays until it is in force if that is wanted.
async fn asked(
    api: &Api,
    output: &Output,
    id: Uuid,
    call: Call,
    how: &AskedHow,
    in_force: impl Fn(&Value) -> bool,
) -> Result<(), Failure> {
    let key = how.key.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
    let call = call.key(&key).if_version(how.if_version);
    let answer = send(api, output, &call, how).await.map_err(|failure| match failure {
        // The function may have asked Microsoft before its answer was lost on the way here.
        Failure::NoAnswer(what) => {
            Failure::OutcomeUnknown(format!("{what}; to ask again for the same, add --key {key}"))
        }
        failure => failure,
    })?;
    let operation = answer["operationId"].as_str().and_then(|id| id.parse::<Uuid>().ok());
    if how.follow.wait {
        let record = wait::for_change(api, output, id, operation, &how.follow, in_force).await?;
        return output.print(&record_text(output, &record));
    }
    if output.json {
        return output.print(&answer.to_string());
    }
    match operation {
        Some(operation) => output.print(&format!(
            "Microsoft was asked: operation {operation}.\nHow far it is: marketplace operations {id} {operation}"
        )),
        None => output.print("Microsoft was asked; it named no operation to follow."),
    }
}

async fn send(api: &Api, output: &Output, call: &Call, how: &AskedHow) -> Result<Value, Failure> {
    let mut attempt = 1;
    loop {
        match api.call(call).await {
            Ok(answer) => return Ok(answer.body),
            Err(failure) if failure.may_be_repeated() && attempt < ATTEMPTS => {
                output.note(&format!("{failure}; asking again, under the same key"));
                tokio::time::sleep(how.follow.poll).await;
                attempt += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
}
