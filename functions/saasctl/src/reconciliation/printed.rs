//! Runs as a person reads them.

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::printable::printable;
use crate::table::{Table, text, when};

/// What is known of the reconciliation, and its last runs.
pub(super) fn overview(shown: &Value, width: Option<usize>) -> String {
    let mut table = Table::of(&[]);
    let [pause, quiet, round] = ["pause", "quietRuns", "lastFullRound"].map(|name| &shown[name]);
    if !pause.is_null() {
        let by = Some(text(&pause["by"])).filter(|by| !by.is_empty());
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        let since = when(&pause["since"], false);
        table.row(["Paused".to_owned(), format!("since {since}{by}: {}", text(&pause["note"]))]);
    }
    for (name, label) in [("current", "Under way"), ("dryRun", "Dry run under way")] {
        let run = &shown[name];
        if !run.is_null() {
            let since = when(&run["begunAt"], false);
            let counts = counts(run, name == "dryRun");
            table.row([label.to_owned(), format!("since {since}: {counts}")]);
        }
    }
    let last = match round.is_null() {
        true => "none yet".to_owned(),
        false => {
            format!("{} to {}", when(&round["begunAt"], false), when(&round["endedAt"], false))
        }
    };
    table.row(["Last full round".to_owned(), last]);
    if !quiet.is_null() {
        let (since, last) = (when(&quiet["since"], false), when(&quiet["lastEndedAt"], false));
        let says = format!("{} since {since}, the last until {last}", text(&quiet["count"]));
        table.row(["Runs that found nothing".to_owned(), says]);
    }
    let runs = shown["runs"].as_array().into_iter().flatten().map(|one| run(one, width));
    let parts: Vec<_> = std::iter::once(table.or_if_empty("")).chain(runs).collect();
    parts.join("\n\n")
}

/// What a run has done so far.
pub(super) fn counts(run: &Value, is_dry: bool) -> String {
    let [examined, repaired, left, failed] =
        ["examined", "repaired", "left", "failed"].map(|name| text(&run[name]));
    let repaired_so = if is_dry { "would be repaired" } else { "repaired" };
    format!("{examined} examined, {repaired} {repaired_so}, {left} left, {failed} failed")
}

/// How many subscriptions were left or failed, by the reason.
fn reasons(run: &Value) -> impl Iterator<Item = String> {
    [("left", "leftByReason"), ("failed", "failedByClass")].into_iter().flat_map(|(what, by)| {
        let counted = run[by].as_object().into_iter().flatten();
        counted.map(move |(reason, number)| format!("  {what}: {} {number}", printable(reason)))
    })
}

/// A run that has ended, with its differences. No id is broken.
pub(super) fn run(run: &Value, width: Option<usize>) -> String {
    let kind = if run["dryRun"] == true { "Dry run" } else { "Run" };
    let (begun, ended) = (when(&run["begunAt"], false), when(&run["endedAt"], false));
    let end = match run["end"].as_str() {
        Some("list") => String::new(),
        Some("records") => "the list broke off; the rest was read one by one".to_owned(),
        Some("budget") => "the list broke off; a part of the rest was read".to_owned(),
        Some("broken") => "the list broke off; the rest was not read".to_owned(),
        _ => text(&run["end"]),
    };
    let mut lines = vec![format!("{kind} of {begun} to {ended}")];
    if !end.is_empty() {
        lines.push(format!("  ended early: {end}"));
    }
    lines.push(format!("  {}", counts(run, run["dryRun"] == true)));
    lines.extend(reasons(run));
    for difference in run["differences"].as_array().into_iter().flatten() {
        lines.extend(lines_of(difference, run["dryRun"] == true, width));
    }
    if let Some(more) = run["moreDifferences"].as_u64().filter(|more| *more > 0) {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}

fn lines_of(difference: &Value, is_dry: bool, width: Option<usize>) -> Vec<String> {
    let outcome = match (difference["outcome"].as_str(), is_dry) {
        (Some("repaired"), true) => "would be repaired".to_owned(),
        _ => text(&difference["outcome"]),
    };
    let reason = Some(text(&difference["reason"])).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut lines = vec![format!("  {}  {outcome}{reason}", text(&difference["subscriptionId"]))];
    if !difference["since"].is_null() {
        lines.push(format!("    record of {}", when(&difference["since"], false)));
    }
    for action in difference["actions"].as_array().into_iter().flatten() {
        match action.as_str() {
            // The changes say it.
            Some("recordUpdated") => {}
            Some("operationFinished") => lines.push("    operation finished".to_owned()),
            Some("activationResumed") => lines.push("    activation resumed".to_owned()),
            Some("deadlineAnnounced") => lines.push("    deadline announced".to_owned()),
            _ => lines.push(format!("    {}", text(action))),
        }
    }
    for change in difference["changes"].as_array().into_iter().flatten() {
        let (field, from, to) = (&change["field"], &change["from"], &change["to"]);
        if from.is_null() && to.is_null() {
            lines.push(format!("    {}", text(field)));
            continue;
        }
        let value = |value: &Value| if value.is_null() { "-".to_owned() } else { text(value) };
        let [field, from, to] = [text(field), value(from), value(to)];
        let line = format!("    {field} {from} → {to}");
        if width.is_none_or(|width| line.width() <= width) {
            lines.push(line);
        } else {
            lines.extend([format!("    {field} {from}"), format!("      → {to}")]);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";

    fn complete() -> Value {
        let plan = "a-plan-with-the-longest-id-that-microsoft-allows-x";
        json!({
            "begunAt": "2026-03-10T12:00:00Z", "endedAt": "2026-03-10T12:04:10Z", "end": "broken",
            "dryRun": true, "examined": 613, "repaired": 2, "left": 1, "failed": 1,
            "leftByReason": { "settling": 1 }, "failedByClass": { "microsoft_unavailable": 1 },
            "differences": [
                {
                    "subscriptionId": ID, "since": "2026-03-01T00:00:00Z", "outcome": "repaired",
                    "actions": ["recordUpdated", "operationFinished"],
                    "changes": [
                        { "field": "planId", "from": plan, "to": plan.to_uppercase() },
                        { "field": "quantity", "to": 7 },
                        { "field": "name" },
                    ],
                },
                { "subscriptionId": ID, "outcome": "failed", "reason": "microsoft_unavailable" },
            ],
            "moreDifferences": 40,
        })
    }

    #[test]
    fn a_run_fits_80_columns_and_no_id_is_broken() {
        let printed = run(&complete(), Some(80));
        assert!(printed.lines().all(|line| line.width() <= 80), "{printed}");
        assert_eq!(printed.matches(ID).count(), 2, "{printed}");
        for said in [
            "Dry run of 2026-03-10 12:00:00 to 2026-03-10 12:04:10\n  ended early: the list broke off",
            "613 examined, 2 would be repaired, 1 left, 1 failed",
            "left: settling 1",
            "failed: microsoft_unavailable 1",
            "would be repaired",
            "failed: microsoft_unavailable",
            "quantity - → 7",
            "operation finished",
            "\n    name\n",
            "and 40 more",
        ] {
            assert!(printed.contains(said), "{said}: {printed}");
        }
        let wide = run(&complete(), None);
        assert_eq!(wide.lines().count() + 1, printed.lines().count(), "a pipe has no width");
    }

    #[test]
    fn an_overview_names_a_pause_a_run_that_goes_on_and_quiet_runs() {
        let at = "2026-03-10T12:00:00Z";
        let shown = json!({
            "current": complete(), "dryRun": null,
            "pause": { "since": at, "note": "a note\u{1b}[2J", "by": "arn:aws:iam::1:role/ops" },
            "quietRuns": { "count": 3, "since": at, "lastEndedAt": at },
            "lastFullRound": { "begunAt": at, "endedAt": at },
            "runs": [complete()], "next": null,
        });
        let printed = overview(&shown, Some(80));
        for said in ["Paused", "by arn:aws:iam::1:role/ops: a note[2J", "Under way", "3 since"] {
            assert!(printed.contains(said), "{said}: {printed}");
        }
        let nothing = json!({ "runs": [] });
        assert!(overview(&nothing, None).contains("none yet"));
    }
}
