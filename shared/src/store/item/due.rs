//! The sort key of the index `by-due`, which tells when an entry is due and since when it waits.
//!
//! It begins with the time at which the entry is due. The subscription and the item's sort key make it
//! unique, since DynamoDB returns entries with equal keys in any order. If a target has failed, the time of
//! its first failure is at the end: the index holds keys alone, and how long an entry waits is counted
//! without a read of its item. Entries from before 0.1.0 have the first part alone.

use std::fmt::Display;

use jiff::Timestamp;

use crate::domain::SubscriptionId;
use crate::store::STREAM_HEAD_START;

pub(super) fn due_at(
    at: Timestamp,
    id: SubscriptionId,
    sort: &str,
    since: Option<Timestamp>,
) -> String {
    let key = format!("{}#{id}#{sort}", second(at));
    since.map_or(key.clone(), |since| format!("{key}#{}", second(since)))
}

/// The last key of an entry that is due by then.
pub(in crate::store) fn due_by(by: Timestamp) -> String {
    format!("{}~", second(by))
}

/// Since when an entry waits; `None` if its key can't be read. An event is due only once the stream has had
/// its head start.
pub(in crate::store) fn waits_since(due_at: &str, is_event: bool) -> Option<Timestamp> {
    let at: Timestamp = due_at.split('#').next()?.parse().ok()?;
    if is_event {
        return at.checked_sub(STREAM_HEAD_START).ok();
    }
    let since = due_at.rsplit('#').next().and_then(|last| last.parse().ok());
    Some(since.unwrap_or(at))
}

/// As text, sorted by time.
fn second(at: Timestamp) -> impl Display {
    at.strftime("%Y-%m-%dT%H:%M:%SZ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_since_when_its_entry_waits_also_as_former_versions_wrote_it() {
        let at = |text: &str| -> Timestamp { text.parse().expect("a timestamp") };
        let (noon, one) = (at("2026-03-10T12:00:00Z"), at("2026-03-10T13:00:00Z"));
        let id = SubscriptionId(uuid::Uuid::from_u128(1));
        let failing = due_at(one, id, "DELIVERY#endpoint", Some(noon));
        assert_eq!(
            failing,
            "2026-03-10T13:00:00Z#00000000-0000-0000-0000-000000000001#DELIVERY#endpoint\
             #2026-03-10T12:00:00Z"
        );
        assert_eq!(waits_since(&failing, false), Some(noon));
        let asked_for = due_at(one, id, "DELIVERY#endpoint", None);
        let event = due_at(one, id, "EVENT#00000000000000000001#000", None);
        for (key, is_event, since) in [
            (asked_for.as_str(), false, Some(one)),
            ("2026-03-10T13:00:00Z", false, Some(one)),
            (&event, true, Some(at("2026-03-10T12:58:00Z"))),
            ("2026-03-10T13:00:00Z", true, Some(at("2026-03-10T12:58:00Z"))),
            ("soon", false, None),
            ("", true, None),
        ] {
            assert_eq!(waits_since(key, is_event), since, "{key}");
        }
        let by = due_by(one);
        assert!(
            failing < by && event < by && by < due_at(at("2026-03-10T13:00:01Z"), id, "", None)
        );
    }
}
