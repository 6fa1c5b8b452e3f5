//! What has changed since an export began.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// How often the changes are read at most. A round finds what changed during the one before, which
/// is little, but in a busy table never nothing.
pub(super) const ROUNDS: usize = 5;

/// How far the functions' clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// What becomes of a listed record.
pub(super) enum Choice {
    Take,
    Skip,
    /// Neither this one nor the rest of the list.
    End,
}

/// The versions that were exported of the records that have changed since the beginning.
pub(super) struct Changed {
    /// By the functions' clock; `None` if there was no record.
    since: Option<Timestamp>,
    versions: HashMap<String, u64>,
}

impl Changed {
    /// Begins when this is the record that changed last.
    pub(super) fn since(newest: Option<&Value>) -> Self {
        let since = newest.and_then(updated_at).and_then(|at| at.checked_sub(SKEW).ok());
        Self { since, versions: HashMap::new() }
    }

    /// Whether to export a record of a list that begins with the latest change.
    pub(super) fn note(&mut self, record: &Value) -> Choice {
        if self.since.zip(updated_at(record)).is_some_and(|(since, at)| at < since) {
            return Choice::End;
        }
        let id = record["subscription"]["id"].as_str().unwrap_or_default();
        let version = record["version"].as_u64().unwrap_or_default();
        match self.versions.insert(id.to_owned(), version) {
            Some(exported) if exported >= version => Choice::Skip,
            Some(_) | None => Choice::Take,
        }
    }
}

fn updated_at(record: &Value) -> Option<Timestamp> {
    record["updatedAt"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(id: &str, version: u64, at: &str) -> Value {
        let updated_at = format!("2026-03-10T{at}Z");
        json!({ "subscription": { "id": id }, "version": version, "updatedAt": updated_at })
    }

    #[test]
    fn a_record_is_taken_again_only_with_a_later_version() {
        let mut changed = Changed::since(Some(&record("a", 3, "12:00:00")));
        for (id, version, at, expected) in [
            ("a", 3, "12:00:00", "take"),
            ("a", 3, "12:00:00", "skip"),
            ("a", 2, "12:00:00", "skip"),
            ("a", 4, "12:30:00", "take"),
            ("b", 1, "11:59:00", "take"),
            ("c", 1, "11:58:59", "end"),
        ] {
            let choice = match changed.note(&record(id, version, at)) {
                Choice::Take => "take",
                Choice::Skip => "skip",
                Choice::End => "end",
            };
            assert_eq!(choice, expected, "{id} {version} {at}");
        }
    }

    #[test]
    fn a_table_that_was_empty_has_only_changed_records() {
        let mut changed = Changed::since(None);
        assert!(matches!(changed.note(&record("a", 1, "00:00:00")), Choice::Take));
        assert!(matches!(changed.note(&record("a", 1, "00:00:00")), Choice::Skip));
    }
}
