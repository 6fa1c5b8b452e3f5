//! A subscription's record, as a person reads it and as JSON.

use serde_json::Value;

use crate::output::Output;
use crate::printable::printable;
use crate::table::{Table, seats, text, when};

pub(crate) fn record_text(output: &Output, record: &Value) -> String {
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
        ("Reference", text(&record["reference"])),
        ("Offer", text(&subscription["offerId"])),
        ("Plan", text(&subscription["planId"])),
        ("Seats", seats(&subscription["quantity"])),
        ("Status", text(&subscription["saasSubscriptionStatus"])),
        ("Term", text(&term["termUnit"])),
        ("Term start", when(&term["startDate"], true)),
        ("Term end", when(&term["endDate"], true)),
        ("Test purchase", text(&subscription["isTest"])),
        ("Renews", text(&subscription["autoRenew"])),
        ("Beneficiary", text(&subscription["beneficiary"]["emailId"])),
        ("Purchaser", text(&subscription["purchaser"]["emailId"])),
        ("Activation", text(&record["activation"]["state"])),
        ("Pending", format!("{} {}", text(&pending["action"]), text(&pending["id"]))),
        ("Version", text(&record["version"])),
        ("Changed", when(&record["updatedAt"], false)),
    ] {
        if !value.trim().is_empty() {
            table.row([name.to_owned(), value]);
        }
    }
    for (key, value) in record["metadata"].as_object().into_iter().flatten() {
        table.row([format!("Metadata {}", printable(key)), text(value)]);
    }
    table.or_if_empty("")
}
