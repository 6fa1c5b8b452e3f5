//! A subscription's events, and the notes among them: what happened, who did it, and why.

use jiff::Timestamp;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;
use uuid::Uuid;

use crate::api::Api;
use crate::command_error::CommandError;
use crate::differences::differences;
use crate::output::Output;
use crate::table::{Table, terminal_width, text, when};
use crate::wrapped::wrapped;

const HEADINGS: [&str; 6] = ["Version", "When", "Event", "Change", "Who", "Why"];

pub(crate) async fn history(api: &Api, output: &Output, id: Uuid) -> Result<(), CommandError> {
    let (mut all, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let mut page = api.get(format!("/{id}/events?after={after}")).await?;
        if let Value::Array(mut events) = page["events"].take() {
            all.append(&mut events);
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
        output.progress(&format!("{} events so far", all.len()));
    }
    output.progress("");
    let notes = api.get(format!("/{id}/notes")).await?["notes"].take();
    if output.json {
        return output.print(&json!({ "events": all, "notes": notes }).to_string());
    }
    let notes = notes.as_array().map(Vec::as_slice).unwrap_or_default();
    output.print(&printed(&all, notes, terminal_width()))
}

/// A line for each event and note. Where they don't fit the terminal, who and why have lines of their own.
fn printed(events: &[Value], notes: &[Value], width: Option<usize>) -> String {
    let mut table = Table::unwrapped(&HEADINGS);
    let rows = rows(events, notes);
    rows.iter().for_each(|row| table.row(row.clone()));
    let wide = table.or_if_empty("No events.");
    match width {
        Some(width) if wide.lines().any(|line| line.width() > width) => {
            let blocks: Vec<_> = rows.iter().map(|row| block(row, width)).collect();
            blocks.join("\n")
        }
        _ => wide,
    }
}

/// Both in one list, the earliest first, as each of them is. A note follows the events of its own time.
fn rows(events: &[Value], notes: &[Value]) -> Vec<[String; 6]> {
    let at = |time: &Value| time.as_str().and_then(|time| time.parse::<Timestamp>().ok());
    let mut rows = Vec::with_capacity(events.len() + notes.len());
    let mut notes = notes.iter().peekable();
    for event in events {
        while let Some(note) = notes.next_if(|note| at(&note["at"]) < at(&event["recordedAt"])) {
            rows.push(note_row(note));
        }
        rows.push(row(event));
    }
    rows.extend(notes.map(note_row));
    rows
}

fn note_row(note: &Value) -> [String; 6] {
    [
        String::new(),
        when(&note["at"], false),
        "Note".to_owned(),
        text(&note["text"]),
        caller("API", &note["by"]),
        String::new(),
    ]
}

fn row(event: &Value) -> [String; 6] {
    [
        text(&event["version"]),
        when(&event["recordedAt"], false),
        text(&event["type"]),
        change_of(event),
        who(event),
        why(&event["decision"]),
    ]
}

fn block([version, when, event, change, who, why]: &[String; 6], width: usize) -> String {
    const INDENT: &str = "      ";
    let first = format!("{version:<5} {when}  {event}");
    let whole = format!("{first}  {change}").trim_end().to_owned();
    let (first, below) = if whole.width() <= width { (whole, "") } else { (first, &**change) };
    let mut lines = vec![first];
    for text in [below, who, why] {
        let room = width.saturating_sub(INDENT.len());
        lines.extend(wrapped(text, room).into_iter().map(|line| format!("{INDENT}{line}")));
    }
    lines.join("\n")
}

/// The old and the new value, or the requested one of a rejected change; of other details, each that differs;
/// "unclaimed" for an activation that no person has claimed; empty for an event without any.
pub(crate) fn change_of(event: &Value) -> String {
    if event["type"] == "DetailsChanged" {
        return match &event["before"] {
            // Also an event of an old version.
            Value::Null => String::new(),
            before => differences(before, &event["subscription"]).join("; "),
        };
    }
    let change = if event["change"].is_object() { &event["change"] } else { event };
    match (&change["from"], &change["to"]) {
        (Value::Null, Value::Null) => {
            let is_activation = event["type"] == "Activated";
            let is_unclaimed = is_activation && event["unclaimed"] == true;
            if is_unclaimed { "unclaimed".to_owned() } else { String::new() }
        }
        (from, to) => format!("{} → {}", text(from), text(to)),
    }
}

/// Who did it, and the way.
pub(crate) fn who(event: &Value) -> String {
    let (cause, claimant) = (&event["cause"], &event["claimant"]);
    if claimant.is_object() {
        let person = format!("{} {}", text(&claimant["role"]), account(&claimant["account"]));
        return format!("{person}, on the landing page");
    }
    let by = text(&cause["by"]);
    match by.as_str() {
        "landing" => "buyer, on the landing page".to_owned(),
        "webhook" => {
            let action = text(&cause["action"]);
            format!("{} (webhook {action})", requester(cause))
        }
        "management" => caller("API", &cause["principal"]),
        "activation" => caller("activation", &cause["principal"]),
        // Also what a later version adds.
        _ => by,
    }
}

/// Who wanted what Microsoft told us of.
fn requester(cause: &Value) -> String {
    let requester = &cause["requester"];
    match requester["by"].as_str() {
        Some("buyer") => format!("buyer {}", account(&requester["account"])).trim_end().to_owned(),
        Some(_) => caller("API", &requester["principal"]),
        // F-OP-3.
        None => match cause["source"].as_str() {
            Some("Azure") => "customer or reseller, at Microsoft".to_owned(),
            Some("Partner") => "publisher".to_owned(),
            Some(_) | None => "Microsoft".to_owned(),
        },
    }
}

/// A person, as their directory knows them.
pub(crate) fn account(account: &Value) -> String {
    let (person, tenant) = (text(&account["objectId"]), text(&account["tenantId"]));
    match (person.is_empty(), tenant.is_empty()) {
        (_, true) => person,
        (true, false) => format!("tenant {tenant}"),
        (false, false) => format!("{person} of tenant {tenant}"),
    }
}

/// A person at the console is named without the way, which their name says.
fn caller(way: &str, principal: &Value) -> String {
    let principal = text(principal);
    match principal.starts_with("console: ") {
        true => principal,
        false => format!("{way} {principal}").trim_end().to_owned(),
    }
}

/// The decision about a change or a purchase; empty where none was needed.
pub(crate) fn why(decision: &Value) -> String {
    let verdict = match decision["verdict"].as_str() {
        Some("accept") => "accepted",
        Some("reject") => "rejected",
        Some(_) | None => return String::new(),
    };
    let by = match decision["by"].as_str() {
        Some("inForce") => ", since it is in force".to_owned(),
        _ => {
            let by = format!(" by {} {}", text(&decision["by"]), text(&decision["principal"]));
            by.trim_end().to_owned()
        }
    };
    let reason = text(&decision["reason"]);
    if reason.is_empty() { format!("{verdict}{by}") } else { format!("{verdict}{by}: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: &str = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";
    const TENANT: &str = "c0a1e9d4-7b1f-4a53-8f9e-2d6b5a4c3e22";

    #[test]
    fn who_did_it_is_named_with_the_way() {
        let arn = "arn:aws:sts::123456789012:assumed-role/support/anna";
        let buyer = json!({ "by": "buyer", "account": { "tenantId": TENANT, "objectId": PERSON } });
        for (cause, expected) in [
            (json!({ "by": "landing" }), "buyer, on the landing page".to_owned()),
            (json!({ "by": "management", "principal": arn }), format!("API {arn}")),
            (json!({ "by": "management" }), "API".to_owned()),
            (
                json!({ "by": "management", "principal": "console: Ada Admin (6f1d5a2e)" }),
                "console: Ada Admin (6f1d5a2e)".to_owned(),
            ),
            (json!({ "by": "activation", "principal": arn }), format!("activation {arn}")),
            (json!({ "by": "reconciliation" }), "reconciliation".to_owned()),
            (
                json!({ "by": "webhook", "action": "ChangePlan", "source": "Azure" }),
                "customer or reseller, at Microsoft (webhook ChangePlan)".to_owned(),
            ),
            (
                json!({ "by": "webhook", "action": "ChangePlan", "requester": buyer }),
                format!("buyer {PERSON} of tenant {TENANT} (webhook ChangePlan)"),
            ),
            (
                json!({
                    "by": "webhook", "action": "Unsubscribe",
                    "requester": { "by": "publisher", "principal": arn },
                }),
                format!("API {arn} (webhook Unsubscribe)"),
            ),
            (json!({ "by": "webhook", "action": "Renew" }), "Microsoft (webhook Renew)".to_owned()),
        ] {
            assert_eq!(who(&json!({ "cause": cause })), expected, "{cause}");
        }
        let claimant = json!({
            "role": "beneficiary", "rule": "tenantAndObject", "at": "2026-03-10T12:00:00Z",
            "account": { "tenantId": TENANT, "objectId": PERSON },
        });
        assert_eq!(
            who(&json!({ "cause": { "by": "landing" }, "claimant": claimant })),
            format!("beneficiary {PERSON} of tenant {TENANT}, on the landing page")
        );
    }

    #[test]
    fn a_decision_is_named_with_its_reason() {
        for (decision, expected) in [
            (json!(null), ""),
            (json!({ "verdict": "accept", "by": "policy" }), "accepted by policy"),
            (
                json!({ "verdict": "reject", "by": "publisher", "principal": "arn:aws:iam::1:role/staff",
                        "reason": "We don't serve this country" }),
                "rejected by publisher arn:aws:iam::1:role/staff: We don't serve this country",
            ),
            (json!({ "verdict": "accept", "by": "inForce" }), "accepted, since it is in force"),
            (
                json!({ "verdict": "reject", "by": "product", "reason": "Pay first\u{1b}[2J" }),
                "rejected by product: Pay first[2J",
            ),
        ] {
            assert_eq!(why(&decision), expected);
        }
    }

    #[test]
    fn changed_details_are_named_and_fit_80_columns() {
        let with = |renews: bool, name: &str| json!({ "name": name, "autoRenew": renews });
        let event = json!({
            "version": 5, "recordedAt": "2026-03-10T12:00:00Z", "type": "DetailsChanged",
            "before": with(true, "Contoso"), "subscription": with(false, "Contoso Cloud Services"),
            "cause": { "by": "reconciliation" },
        });
        let expected = "\
5     2026-03-10 12:00:00  DetailsChanged
      autoRenew true → false; name Contoso → Contoso Cloud Services
      reconciliation";
        assert_eq!(printed(std::slice::from_ref(&event), &[], Some(80)), expected);
        let mut restated = event;
        restated["before"] = Value::Null;
        assert_eq!(change_of(&restated), "");
    }

    #[test]
    fn notes_stand_among_the_events_by_their_time_and_fit_80_columns() {
        let event = |version: u64, at: &str| {
            json!({ "version": version, "recordedAt": at, "type": "Renewed",
                    "cause": { "by": "reconciliation" } })
        };
        let events = [event(1, "2026-03-10T12:00:00Z"), event(2, "2026-03-12T12:00:00Z")];
        let note = |at: &str, by: Value, text: &str| json!({ "at": at, "by": by, "text": text });
        let staff = json!(format!("console: Olof Operator ({PERSON})"));
        let notes = [
            note("2026-03-10T12:00:00.5Z", staff, "Renewal talks in May\u{1b}[2J"),
            note("2026-03-12T12:00:00Z", Value::Null, &"They renew. ".repeat(9)),
        ];
        let expected = format!(
            "\
1     2026-03-10 12:00:00  Renewed
      reconciliation
      2026-03-10 12:00:00  Note  Renewal talks in May[2J
      console: Olof Operator ({PERSON})
2     2026-03-12 12:00:00  Renewed
      reconciliation
      2026-03-12 12:00:00  Note
      They renew. They renew. They renew. They renew. They renew. They renew.
      They renew. They renew. They renew.
      API"
        );
        assert_eq!(printed(&events, &notes, Some(80)), expected);
        assert_eq!(printed(&events, &notes, None).lines().count(), 5, "one line in a pipe");
    }

    #[test]
    fn no_id_is_broken_at_80_columns() {
        let buyer = json!({ "by": "buyer", "account": { "tenantId": TENANT, "objectId": PERSON } });
        let event = json!({
            "version": 12, "recordedAt": "2026-03-10T12:00:00Z", "type": "ChangeRejected",
            "change": { "of": "plan", "from": "silver", "to": "gold" },
            "cause": { "by": "webhook", "action": "ChangePlan", "requester": buyer },
            "decision": { "verdict": "reject", "by": "rules", "reason": "never ".repeat(30) },
        });
        let narrow = printed(std::slice::from_ref(&event), &[], Some(80));
        assert!(narrow.lines().all(|line| line.width() <= 80), "{narrow}");
        assert!(narrow.contains(PERSON) && narrow.contains(TENANT), "{narrow}");
        assert!(narrow.starts_with("12    2026-03-10 12:00:00  ChangeRejected  silver → gold\n"));
        assert_eq!(printed(&[event], &[], None).lines().count(), 2, "one line in a pipe");
    }
}
