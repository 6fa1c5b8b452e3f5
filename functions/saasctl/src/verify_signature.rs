//! Checks the signature of a request that the product received, as its receiver should have.

use std::io::Read as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::publisher::standard_webhooks::WebhookKeys;

use crate::command_error::CommandError;
use crate::options::Received;
use crate::output::Output;

/// Receivers refuse an older request, so that nobody can send a recorded one again. Standard Webhooks leaves
/// the time open; its libraries use this one.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The setting that holds the keys.
const KEYS: &str = "DELIVERY_SIGNING_KEY";

pub(crate) fn verify(output: &Output, received: &Received) -> Result<(), CommandError> {
    let keys = read_keys(received.key_file.as_deref())?;
    let body = read_body(&received.body)?;
    let at = Timestamp::from_second(received.timestamp)
        .map_err(|_| refused("wrong_timestamp", "--timestamp is not a time in Unix seconds"))?;
    if !received.id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused("wrong_id", "--id is not the id of a message"));
    }
    let Some(key) = matching_key(&keys, received, at, &body) else {
        return Err(refused("wrong_signature", &explanation(&keys, received, at, &body)));
    };
    let age = Timestamp::now().duration_since(at);
    let is_fresh = age.abs() <= TOLERANCE;
    if output.json {
        let result = json!({ "key": key, "ageSeconds": age.as_secs(), "isFresh": is_fresh });
        return output.print(&result.to_string());
    }
    output.print(&format!("The signature is right. Key {key} of {} made it.", keys.len()))?;
    if !is_fresh {
        let minutes = TOLERANCE.as_mins();
        output.note(&format!(
            "It was made at {at}. A receiver refuses what is more than {minutes} minutes old."
        ));
    }
    Ok(())
}

/// The number of the first key, from one, with which one of the given signatures was made.
fn matching_key(
    keys: &[WebhookKeys],
    received: &Received,
    at: Timestamp,
    body: &[u8],
) -> Option<usize> {
    let is_given = |key: &WebhookKeys| {
        let headers = key.headers(&received.id, at, body);
        let expected = headers["webhook-signature"].to_str().unwrap_or_default();
        received.signature.split_whitespace().any(|given| given == expected)
    };
    keys.iter().position(is_given).map(|index| index + 1)
}

/// What is probably wrong.
fn explanation(keys: &[WebhookKeys], received: &Received, at: Timestamp, body: &[u8]) -> String {
    if !received.signature.split_whitespace().any(|given| given.starts_with("v1,")) {
        return "--signature has no part that begins with `v1,`".to_owned();
    }
    let trimmed = body.trim_ascii_end();
    if trimmed.len() < body.len() && matching_key(keys, received, at, trimmed).is_some() {
        return "the body ends in a line break that was not sent; the rest is right".to_owned();
    }
    let how_many = match keys.len() {
        1 => "the key",
        _ => "any of the keys",
    };
    format!(
        "no signature is one that {how_many} makes for this id, time and body; the body must be the bytes \
         that came, not JSON that was read and written again"
    )
}

/// One entry for each key, so that the one that fits can be named.
fn read_keys(file: Option<&Path>) -> Result<Vec<WebhookKeys>, CommandError> {
    let (source, text) = match file {
        Some(file) => (file.display().to_string(), std::fs::read_to_string(file).ok()),
        None => (KEYS.to_owned(), std::env::var(KEYS).ok()),
    };
    let text = text.ok_or_else(|| {
        refused("no_key", &format!("{source} can't be read; give --key-file, or set {KEYS}"))
    })?;
    let malformed = |error| refused("wrong_key", &format!("{source} {error}"));
    // All at once first: an empty text has an error of its own.
    WebhookKeys::parse(&text).map_err(malformed)?;
    text.split_whitespace().map(|key| WebhookKeys::parse(key).map_err(malformed)).collect()
}

fn read_body(file: &Path) -> Result<Vec<u8>, CommandError> {
    let unreadable = |error| refused("unreadable_body", &format!("{}: {error}", file.display()));
    if file.as_os_str() != "-" {
        return std::fs::read(file).map_err(unreadable);
    }
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).map_err(unreadable)?;
    Ok(body)
}

fn refused(code: &str, detail: &str) -> CommandError {
    CommandError::Refused { code: code.to_owned(), detail: detail.to_owned() }
}
