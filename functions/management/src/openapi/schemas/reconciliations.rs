//! The runs of the reconciliation.

use serde_json::{Value, json};
use shared::store::LONGEST_NOTE;

use super::parts::{VISIBLE, reference, text, time};

fn count(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn counts(description: &str) -> Value {
    json!({
        "type": "object", "description": description,
        "additionalProperties": { "type": "integer", "minimum": 0 },
    })
}

/// A schema or null.
pub(super) fn or_null(schema: &Value, description: &str) -> Value {
    json!({ "oneOf": [schema, { "type": "null" }], "description": description })
}

/// The members that a run has while it goes on and after it.
fn run_members() -> Value {
    json!({
        "begunAt": time("When the run began"),
        "examined": count("Subscriptions compared"),
        "repaired": count("Records brought up to date; in a dry run, those that a run would bring up to date"),
        "left": count("Differences left to the next run"),
        "failed": count("Subscriptions that failed"),
        "unseen": count("Records that the list did not show, and that were read one by one"),
        "unlisted": count("Of those, the ones whose subscription Microsoft does not know"),
        "leftByReason": counts("How many differences were left, by the reason"),
        "failedByClass": counts("How many subscriptions failed, by the class of the error"),
        "differences": { "type": "array", "items": reference("Difference") },
        "moreDifferences": count("How many differences there were beside those that are listed"),
    })
}

const COUNTS: [&str; 5] = ["begunAt", "examined", "repaired", "left", "failed"];

pub(super) fn run() -> Value {
    let mut members = run_members();
    members["endedAt"] = time("When the run ended");
    members["end"] = json!({
        "type": "string", "examples": ["list", "records", "budget", "broken"],
        "description": "Why the run ended. `list`: at the end of Microsoft's list, so it was a full round; `records`: \
            the list broke off, and what it did not show was read one by one; `budget`: the same for a part of it; \
            `broken`: the list broke off, and nothing else was read",
    });
    members["dryRun"] =
        json!({ "type": "boolean", "description": "It compared, and repaired nothing" });
    let required = [&COUNTS[..], &["endedAt", "end", "dryRun"]].concat();
    json!({
        "type": "object",
        "description": "A run that ended with something to say",
        "properties": members,
        "required": required,
    })
}

fn current() -> Value {
    let mut members = run_members();
    members["pages"] = count("Pages of the list read");
    let required = [&COUNTS[..], &["pages"]].concat();
    json!({ "type": "object", "properties": members, "required": required })
}

pub(super) fn difference() -> Value {
    let value = json!({ "type": ["string", "integer", "boolean", "array", "null"], "items": { "type": "string" } });
    json!({
        "type": "object",
        "description": "A subscription that differed from Microsoft's copy, waited for something, or failed. It holds no personal data.",
        "properties": {
            "subscriptionId": { "type": "string", "format": "uuid" },
            "since": time("When the record was last written before; missing if there was none"),
            "outcome": {
                "type": "string", "examples": ["repaired", "left", "failed"],
                "description": "In a dry run, what a run would do",
            },
            "reason": {
                "type": "string", "examples": ["settling", "time", "table"],
                "description": "Why it was left: `settling`, the record changed a moment ago and Microsoft's answer may be older; `time`, \
                    a part of the run was over. Or the class of the error that it failed with.",
            },
            "actions": {
                "type": "array",
                "items": {
                    "type": "string",
                    "examples": ["recordUpdated", "operationFinished", "activationResumed", "deadlineAnnounced"],
                },
                "description": "What was done",
            },
            "changes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "field": { "type": "string", "examples": ["saasSubscriptionStatus", "planId", "term.endDate"] },
                        "from": value, "to": value,
                    },
                    "required": ["field"],
                },
                "description": "The fields that differed. A field that may hold personal data has no values.",
            },
        },
        "required": ["subscriptionId", "outcome"],
    })
}

pub(super) fn reconciliations() -> Value {
    let quiet = json!({
        "type": "object",
        "properties": {
            "count": { "type": "integer", "minimum": 1 },
            "since": time("When the first of them began"),
            "lastBegunAt": time("When the last of them began"),
            "lastEndedAt": time("When the last of them ended"),
        },
        "required": ["count", "since", "lastBegunAt", "lastEndedAt"],
    });
    let round = json!({
        "type": "object",
        "properties": { "begunAt": time("When it began"), "endedAt": time("When it ended") },
        "required": ["begunAt", "endedAt"],
    });
    json!({
        "type": "object",
        "properties": {
            "current": or_null(&current(), "The run that goes on, as far as its last page; null if there is none"),
            "dryRun": or_null(&current(), "The dry run that goes on"),
            "pause": or_null(&reference("Pause"), "Null unless runs are paused"),
            "quietRuns": or_null(&quiet, "The runs since the last one of `runs` that had nothing to say"),
            "lastFullRound": or_null(&round, "The last run that reached the end of Microsoft's list"),
            "runs": { "type": "array", "items": reference("Run") },
            "next": {
                "type": ["string", "null"],
                "description": "The cursor for the next page; null on the last page",
            },
        },
        "required": ["current", "dryRun", "pause", "quietRuns", "lastFullRound", "runs", "next"],
    })
}

pub(super) fn pause() -> Value {
    json!({
        "type": "object",
        "properties": {
            "since": time("When the pause began"),
            "note": text("Why; empty if nobody said it"),
            "by": text("The caller of this API who paused, as AWS names it"),
        },
        "required": ["since", "note"],
    })
}

pub(super) fn paused() -> Value {
    json!({
        "type": "object",
        "properties": { "pause": or_null(&reference("Pause"), "Null: runs are not paused") },
        "required": ["pause"],
    })
}

pub(super) fn pause_request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "note": {
                "type": "string", "minLength": 1, "maxLength": LONGEST_NOTE, "pattern": VISIBLE,
                "description": "Why, on one line",
            },
        },
        "required": ["note"],
        "additionalProperties": false,
    })
}

pub(super) fn run_request() -> Value {
    json!({
        "type": "object",
        "properties": { "dryRun": { "type": "boolean", "default": false } },
        "additionalProperties": false,
    })
}

pub(super) fn started_run() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": text("The name of the execution of the state machine"),
            "dryRun": { "type": "boolean" },
            "startedAt": time("When it was started; the run is over when one is shown that ended later"),
        },
        "required": ["name", "dryRun", "startedAt"],
    })
}
