//! What a run of the reconciliation finds: the differences, and that there were none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::SubscriptionId;

/// The most differences that a run lists. It counts the others. They are stored with the checkpoint, so
/// every page of such a run costs as much to write as its list is long.
pub(super) const MOST_DIFFERENCES: usize = 50;

/// What a run has found so far. Serialised in the table: members are only added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// How many differences were left, by the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_by_reason: BTreeMap<String, u64>,
    /// How many subscriptions failed, by the class of the error.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed_by_class: BTreeMap<String, u64>,
    /// The first ones; there is a bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// How many there were beside those.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_differences: u64,
}

/// A subscription that differed from Microsoft's copy, waited for something, or failed. It holds no
/// personal data. Serialised in the table and in answers of the API: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    pub subscription_id: SubscriptionId,
    /// When the record was last written before; `None` if there was no record, or it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    pub outcome: Outcome,
    /// Why it was left, or the class of the error that it failed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the run did; in a dry run, what a run would do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<RepairAction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
}

/// What became of a difference. Serialised: variants are only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Repaired,
    /// The next run looks at it.
    Left,
    Failed,
}

/// What a run does about a subscription. Serialised: variants are only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RepairAction {
    /// The record became Microsoft's copy.
    RecordUpdated,
    /// An operation was answered whose webhook call was missed, or the wait for one was ended.
    OperationFinished,
    /// An activation that was begun was tried again.
    ActivationResumed,
    /// The product was told that the purchase lapses soon.
    DeadlineAnnounced,
    /// An erasure of personal data that was cut off was completed.
    ErasureFinished,
}

/// A field of a subscription, by Microsoft's name for it. Fields that may hold personal data have no
/// values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    pub field: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub from: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub to: Value,
}

/// The differences that a run left or failed on, without what differed. Serialised in the table: members are
/// only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOpen {
    /// When the run ended.
    pub since: Timestamp,
    /// The first ones; there is a bound.
    pub differences: Vec<Difference>,
    /// How many there were beside those.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// Runs one after the other that had nothing to say. Serialised in the table and in answers of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuietRuns {
    pub count: u64,
    /// When the first of them began.
    pub since: Timestamp,
    /// When the last of them began.
    pub last_begun_at: Timestamp,
    pub last_ended_at: Timestamp,
}

/// As serde passes a value to be skipped.
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Findings {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Forgets what a list that begins anew shows again: everything but the repairs, of which there were so
    /// many.
    pub fn keep_repaired(&mut self, repaired: u64) {
        let mut differences = std::mem::take(&mut self.differences);
        differences.retain(|difference| difference.outcome == Outcome::Repaired);
        let more_differences = repaired.saturating_sub(differences.len() as u64);
        *self = Self { differences, more_differences, ..Self::default() };
    }

    pub fn add(&mut self, difference: Difference) {
        let counts = match difference.outcome {
            Outcome::Repaired => None,
            Outcome::Left => Some(&mut self.left_by_reason),
            Outcome::Failed => Some(&mut self.failed_by_class),
        };
        if let (Some(counts), Some(reason)) = (counts, &difference.reason) {
            *counts.entry(reason.clone()).or_default() += 1;
        }
        if self.differences.len() < MOST_DIFFERENCES {
            self.differences.push(difference);
        } else {
            self.more_differences += 1;
        }
    }
}

impl Difference {
    pub fn new(subscription_id: SubscriptionId, since: Option<Timestamp>) -> Self {
        Self {
            subscription_id,
            since,
            outcome: Outcome::Repaired,
            reason: None,
            actions: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Whether the record is still not as Microsoft's copy.
    pub fn is_open(&self) -> bool {
        match self.outcome {
            Outcome::Repaired => false,
            Outcome::Left | Outcome::Failed => true,
        }
    }

    #[must_use]
    pub fn ended(self, outcome: Outcome, reason: &str) -> Self {
        Self { outcome, reason: Some(reason.to_owned()), ..self }
    }
}

impl QuietRuns {
    /// Counts one more.
    #[must_use]
    pub fn and(earlier: Option<Self>, begun_at: Timestamp, ended_at: Timestamp) -> Self {
        Self {
            count: earlier.map_or(0, |runs| runs.count) + 1,
            since: earlier.map_or(begun_at, |runs| runs.since),
            last_begun_at: begun_at,
            last_ended_at: ended_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_lists_so_many_differences_and_counts_them_all() {
        let mut findings = Findings::default();
        for number in 0..120_u128 {
            let difference = Difference::new(SubscriptionId(uuid::Uuid::from_u128(number)), None);
            findings.add(match number % 3 {
                0 => difference,
                1 => difference.ended(Outcome::Left, "settling"),
                _ => difference.ended(Outcome::Failed, "table"),
            });
        }
        assert_eq!((findings.differences.len(), findings.more_differences), (50, 70));
        assert_eq!(findings.left_by_reason["settling"], 40);
        assert_eq!(findings.failed_by_class["table"], 40);

        findings.keep_repaired(40);
        assert!(findings.left_by_reason.is_empty() && findings.failed_by_class.is_empty());
        let repaired = findings.differences.iter().all(|it| it.outcome == Outcome::Repaired);
        assert!(repaired, "{findings:?}");
        assert_eq!(findings.differences.len() as u64 + findings.more_differences, 40);
    }
}
