//! A subscription's record, as a person reads it and as JSON.

use serde_json::Value;

use crate::history::{account, why};
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
    let (opened, sign_up) = (&record["bound"], &record["signUp"]);
    // Microsoft keeps the flag of one that has ended.
    let has_ended = subscription["saasSubscriptionStatus"] == "Unsubscribed";
    let renews = if has_ended { String::new() } else { text(&subscription["autoRenew"]) };
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
        ("Renews", renews),
        ("Beneficiary", party(&subscription["beneficiary"])),
        ("Purchaser", party(&subscription["purchaser"])),
        ("Opened by", format!("{} {}", text(&opened["role"]), when(&opened["at"], false))),
        ("Claimed by", claim(&record["claim"])),
        ("Contact", text(&sign_up["contactEmail"])),
        ("Language", text(&sign_up["language"])),
        ("Decision", decision(&record["decision"])),
        ("Activation", text(&record["activation"]["state"])),
        ("Pending", format!("{} {}", text(&pending["action"]), text(&pending["id"]))),
        ("Version", text(&record["version"])),
        ("Changed", when(&record["updatedAt"], false)),
        ("Erased", when(&record["erasedAt"], false)),
    ] {
        if !value.trim().is_empty() {
            table.row([name.to_owned(), value]);
        }
    }
    for (name, value) in sign_up["fields"].as_object().into_iter().flatten() {
        table.row([format!("Answer {}", printable(name)), text(value)]);
    }
    for (key, value) in record["metadata"].as_object().into_iter().flatten() {
        table.row([format!("Metadata {}", printable(key)), text(value)]);
    }
    table.or_if_empty("")
}

/// What the publisher decided about the purchase; empty where it has decided nothing.
fn decision(decision: &Value) -> String {
    format!("{} {}", when(&decision["at"], false), why(decision)).trim().to_owned()
}

/// The address of the person whom the subscription is for, or else of the one who bought it.
pub(crate) fn customer(subscription: &Value) -> String {
    let parties = [&subscription["beneficiary"], &subscription["purchaser"]];
    let mut addresses = parties.into_iter().map(|party| text(&party["emailId"]));
    addresses.find(|address| !address.is_empty()).unwrap_or_default()
}

/// Who claimed what Microsoft activated by itself; empty where there is nothing to claim.
fn claim(claim: &Value) -> String {
    match claim["state"].as_str() {
        Some("unclaimed") => "nobody yet; Microsoft activated it by itself".to_owned(),
        Some("claimed") => {
            let when = when(&claim["at"], false);
            format!("{} {} {when}", text(&claim["role"]), account(&claim["account"]))
        }
        // Also what a later version adds.
        _ => text(&claim["state"]),
    }
}

/// A person's address, and the tenant that they belong to.
fn party(party: &Value) -> String {
    let tenant = text(&party["tenantId"]);
    let tenant = if tenant.is_empty() { tenant } else { format!("tenant {tenant}") };
    [text(&party["emailId"]), tenant].join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TENANT: &str = "c0a1e9d4-7b1f-4a53-8f9e-2d6b5a4c3e22";

    #[test]
    fn a_record_says_whether_a_person_has_claimed_it() {
        for (claim, expected) in [
            (json!(null), ""),
            (json!({ "state": "unclaimed" }), "nobody yet; Microsoft activated it by itself"),
            (json!({ "state": "disputed" }), "disputed"),
        ] {
            assert_eq!(super::claim(&claim), expected);
        }
    }

    #[test]
    fn one_that_has_ended_does_not_renew() {
        for (status, expected) in [("Subscribed", true), ("Unsubscribed", false)] {
            let record = json!({
                "subscription": { "saasSubscriptionStatus": status, "autoRenew": true },
            });
            let shown = record_text(&Output { json: false }, &record);
            assert_eq!(shown.contains("Renews"), expected, "{shown}");
        }
    }

    #[test]
    fn a_record_shows_the_buyers_answers_and_who_opened_the_purchase() {
        let record = json!({
            "subscription": { "id": "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11" },
            "claim": {
                "state": "claimed", "role": "purchaser", "rule": "tenant",
                "account": { "tenantId": TENANT }, "at": "2026-03-10T12:00:00Z",
            },
            "bound": { "role": "purchaser", "rule": "tenant", "at": "2026-03-10T12:00:00Z" },
            "signUp": {
                "contactEmail": "it@contoso.example", "language": "sv",
                "fields": { "company": "Contoso\u{1b}[2J AB" },
            },
        });
        let shown = record_text(&Output { json: false }, &record);
        for (name, value) in [
            ("Opened by", "purchaser 2026-03-10 12:00:00"),
            ("Claimed by", &format!("purchaser tenant {TENANT} 2026-03-10 12:00:00")),
            ("Contact", "it@contoso.example"),
            ("Language", "sv"),
            ("Answer company", "Contoso[2J AB"),
        ] {
            let line = shown.lines().find(|line| line.trim_start().starts_with(name));
            assert!(line.is_some_and(|line| line.ends_with(value)), "{name}: {shown}");
        }
    }
}
