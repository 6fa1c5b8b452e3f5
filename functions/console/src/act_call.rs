//! The call of the API that an act is.

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::SubscriptionId;
use url::form_urlencoded;

use crate::act::Act;
use crate::form::Form;

/// What a form lacks, in a sentence for the person.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) &'static str);

/// Its method, path and body.
pub(crate) fn request(
    act: Act,
    id: Option<SubscriptionId>,
    form: Form<'_>,
) -> Result<(Method, String, Value), Missing> {
    let one = || match id {
        Some(id) => format!("/subscriptions/{id}"),
        None => "/subscriptions".to_owned(),
    };
    let reason = || {
        form.get("agreed").ok_or(Missing("Confirm that the customer has agreed."))?;
        form.get("reason").ok_or(Missing("Enter when and how the customer agreed."))
    };
    let receiver = || form.get("receiver").ok_or(Missing("Choose a receiver."));
    let of_receiver = |end: &str| {
        let name: String = form_urlencoded::byte_serialize(receiver()?.as_bytes()).collect();
        Ok::<_, Missing>(format!("/receivers/{name}/{end}"))
    };
    Ok(match act {
        Act::Approve => (Method::POST, format!("{}/activate", one()), Value::Null),
        Act::Decline => {
            let reason = form.get("reason").ok_or(Missing("Enter a reason for the buyer."))?;
            (Method::POST, format!("{}/decline", one()), json!({ "reason": reason }))
        }
        Act::ChangePlan => {
            let plan = form.get("plan").ok_or(Missing("Choose a plan."))?;
            (Method::PATCH, one(), json!({ "planId": plan, "reason": reason()? }))
        }
        Act::ChangeSeats => {
            let seats = form.get("seats").and_then(|seats| seats.parse::<u64>().ok());
            let seats = seats.ok_or(Missing("Enter a number of seats."))?;
            (Method::PATCH, one(), json!({ "quantity": seats, "reason": reason()? }))
        }
        Act::Cancel => (Method::DELETE, one(), Value::Null),
        Act::Refresh => (Method::POST, format!("{}/observe", one()), Value::Null),
        Act::Redeliver => {
            let from = form.get("from").and_then(|from| from.parse::<u64>().ok());
            let from = from.ok_or(Missing("Enter the first version."))?;
            (Method::POST, format!("{}/redeliver", one()), json!({ "fromVersion": from }))
        }
        Act::Erase => (Method::POST, format!("{}/erase", one()), Value::Null),
        Act::Reference => {
            let reference = form.text("reference").ok_or(Missing("The form is incomplete."))?;
            let reference = Some(reference).filter(|reference| !reference.is_empty());
            (Method::PATCH, one(), json!({ "reference": reference }))
        }
        Act::AddNote => {
            let text = form.get("note").ok_or(Missing("Write the note."))?;
            (Method::POST, format!("{}/notes", one()), json!({ "text": text }))
        }
        Act::RecoverParked => {
            (Method::POST, "/deliveries/recover".to_owned(), json!({ "state": "parked" }))
        }
        Act::RecoverSince => {
            const WHEN: &str = "Enter a time in UTC, such as 2026-03-10 or 2026-03-10T12:00.";
            let since = form.get("since").and_then(|since| utc(&since)).ok_or(Missing(WHEN))?;
            (Method::POST, "/deliveries/recover".to_owned(), json!({ "since": since }))
        }
        Act::PauseReceiver => {
            let note = form.get("note").map_or(Value::Null, |note| json!({ "note": note }));
            (Method::POST, of_receiver("pause")?, note)
        }
        Act::ResumeReceiver => (Method::POST, of_receiver("resume")?, Value::Null),
        Act::TestEvent => {
            let kind = form.get("type").ok_or(Missing("Choose a type."))?;
            (Method::POST, "/doctor/test-event".to_owned(), json!({ "type": kind }))
        }
        Act::Reconcile => (Method::POST, "/reconciliations".to_owned(), Value::Null),
        Act::DryRun => (Method::POST, "/reconciliations".to_owned(), json!({ "dryRun": true })),
        Act::PauseRuns => {
            let note = form.get("note").ok_or(Missing("Enter a reason for the pause."))?;
            (Method::POST, "/reconciliations/pause".to_owned(), json!({ "note": note }))
        }
        Act::ResumeRuns => (Method::POST, "/reconciliations/resume".to_owned(), Value::Null),
    })
}

/// A day, or a time of a day, in UTC.
fn utc(text: &str) -> Option<Timestamp> {
    let time: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
