//! The columns of a table. A column is named by its place in the API's JSON. Columns are only added,
//! at the end.

use csv::{Terminator, WriterBuilder};
use serde_json::Value;

use shared::publisher::formula::guarded;

pub(super) const OF_RECORDS: &[&str] = &[
    "subscription.id",
    "subscription.name",
    "subscription.saasSubscriptionStatus",
    "subscription.publisherId",
    "subscription.offerId",
    "subscription.planId",
    "subscription.quantity",
    "subscription.term.termUnit",
    "subscription.term.startDate",
    "subscription.term.endDate",
    "subscription.term.chargeDuration",
    "subscription.autoRenew",
    "subscription.isFreeTrial",
    "subscription.isTest",
    "subscription.created",
    "subscription.allowedCustomerOperations",
    "subscription.beneficiary.emailId",
    "subscription.beneficiary.objectId",
    "subscription.beneficiary.tenantId",
    "subscription.beneficiary.puid",
    "subscription.purchaser.emailId",
    "subscription.purchaser.objectId",
    "subscription.purchaser.tenantId",
    "subscription.purchaser.puid",
    "version",
    "updatedAt",
    "activation.state",
    "activation.since",
    "pendingOperation",
    "deadlineAnnounced",
    "bound.role",
    "bound.rule",
    "bound.at",
    "signUp.contactEmail",
    "signUp.fields",
    "signUp.language",
    "reference",
    "metadata",
    "decision",
    "claim.state",
    "claim.role",
    "claim.rule",
    "claim.account.objectId",
    "claim.account.tenantId",
    "claim.at",
];

pub(super) const OF_EVENTS: &[&str] = &[
    "subscriptionId",
    "version",
    "index",
    "type",
    "recordedAt",
    "from",
    "to",
    "change",
    "cause",
    "decision",
    "correlationId",
    "signUp",
    "subscription.name",
    "subscription.saasSubscriptionStatus",
    "subscription.offerId",
    "subscription.planId",
    "subscription.quantity",
    "subscription.term.startDate",
    "subscription.term.endDate",
    "subscription.beneficiary.emailId",
    "subscription.purchaser.emailId",
    "unclaimed",
    "claimant",
];

pub(super) const OF_NOTES: &[&str] = &["subscriptionId", "id", "at", "by", "text"];

/// The line with the names of the columns.
pub(super) fn heading(columns: &[&str]) -> Vec<u8> {
    line(columns.iter().map(|name| (*name).to_owned()))
}

/// The line of a record, an event or a note.
pub(super) fn row(columns: &[&str], object: &Value) -> Vec<u8> {
    line(
        columns
            .iter()
            .map(|name| cell(name.split('.').fold(object, |value, member| &value[member]))),
    )
}

/// A value as a cell. A number stays a number, and what has members or elements is JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => guarded(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => guarded(&value.to_string()),
    }
}

/// A line as RFC 4180 has it.
fn line(cells: impl Iterator<Item = String>) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let written = writer.write_record(cells.map(String::into_bytes));
    written.expect("a line is written to memory, and has no other line to be as long as");
    writer.into_inner().expect("a line is written to memory")
}
