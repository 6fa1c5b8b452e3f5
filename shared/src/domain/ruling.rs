//! The answer to a requested change, with who decided and why.

use serde::{Deserialize, Serialize};

/// The answer to a requested change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Acknowledged with `Success`.
    Accept,
    /// Acknowledged with `Failure`, and answered with a 4xx (F-WHA-12).
    Reject,
}

impl Verdict {
    /// As serialised.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }
}

/// Who accepted or rejected a change.
///
/// Serialised in stored records, in events and in answers of the API: names are never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DecidedBy {
    /// The publisher asked for the change itself.
    Publisher,
    /// The requested value is in force: the customer takes a rejected change back.
    InForce,
    /// The publisher's static rules.
    Rules,
    /// The publisher's product, behind `DECISION_URL`.
    Product,
    /// `DECISION_FALLBACK`: the product gave no decision.
    Fallback,
    /// `CHANGE_POLICY`.
    Policy,
}

impl DecidedBy {
    /// As serialised.
    pub fn name(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::InForce => "inForce",
            Self::Rules => "rules",
            Self::Product => "product",
            Self::Fallback => "fallback",
            Self::Policy => "policy",
        }
    }
}

/// A decision about a requested change.
///
/// Serialised in stored records, in events and in answers of the API: members are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ruling {
    pub verdict: Verdict,
    pub by: DecidedBy,
    /// For people; `None` where no reason was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who decided in the publisher's name, as AWS names the caller; `None` where the host doesn't say, and
    /// where no person or program asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
}

/// The longest reason that is kept, in characters: one sentence. It travels with the event, and
/// stays in the table for as long as the event does.
pub const LONGEST_REASON: usize = 200;

impl Ruling {
    /// An acceptance that needs no reason.
    pub fn accept(by: DecidedBy) -> Self {
        Self { verdict: Verdict::Accept, by, reason: None, principal: None }
    }

    /// A ruling with a reason, shortened and cleaned as far as it has to be.
    pub fn new(verdict: Verdict, by: DecidedBy, reason: &str) -> Self {
        Self { verdict, by, reason: kept(reason), principal: None }
    }
}

/// One line of bounded length. E-mail addresses are removed: the subscription id already
/// identifies the customer.
fn kept(reason: &str) -> Option<String> {
    let plain = reason.replace(char::is_control, " ");
    let words = plain.split_whitespace().map(|word| if word.contains('@') { "…" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    let mut line: String = line.chars().take(LONGEST_REASON).collect();
    line.truncate(line.trim_end().len());
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_stored_as_one_short_line_without_email_addresses() {
        assert_eq!(kept(" three \n seats\tat\u{0}most ").as_deref(), Some("three seats at most"));
        assert_eq!(kept("ask a@contoso.example first").as_deref(), Some("ask … first"));
        assert_eq!(kept(" \u{7}\n "), None);
        let long = kept(&"å".repeat(1000)).expect("a reason");
        assert_eq!(long.chars().count(), LONGEST_REASON);
    }

    #[test]
    fn names_equal_the_serialised_form() {
        for verdict in [Verdict::Accept, Verdict::Reject] {
            assert_eq!(serde_json::json!(verdict), verdict.name());
        }
        for by in [
            DecidedBy::Publisher,
            DecidedBy::InForce,
            DecidedBy::Rules,
            DecidedBy::Product,
            DecidedBy::Fallback,
            DecidedBy::Policy,
        ] {
            assert_eq!(serde_json::json!(by), by.name());
        }
    }
}
