//! An answer to a requested change, with who gave it and why.

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
    /// Its name, as serialised.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }
}

/// By whose word a change was accepted or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Authority {
    /// The publisher asked for the change itself.
    Publisher,
    /// The value asked for is in force: a rejected change is taken back.
    InForce,
    /// The publisher's static rules.
    Rules,
    /// The publisher's product, asked.
    Product,
    /// The product was asked and gave no decision; this was configured for that case.
    Fallback,
    /// What any other change meets.
    Policy,
}

impl Authority {
    /// Its name, as serialised.
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

/// A decision about a change as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ruling {
    /// The answer.
    pub verdict: Verdict,
    /// Who gave it.
    pub by: Authority,
    /// Why, where anybody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// As long as a sentence for a person. It is told with every event, and stays in the table for as long
/// as the event does.
const LONGEST_REASON: usize = 200;

impl Ruling {
    /// An acceptance that needs no reason.
    pub fn accept(by: Authority) -> Self {
        Self { verdict: Verdict::Accept, by, reason: None }
    }

    /// An answer with a reason, as far as that may be kept.
    pub fn new(verdict: Verdict, by: Authority, reason: &str) -> Self {
        Self { verdict, by, reason: kept(reason) }
    }
}

/// One line of bounded length, without e-mail addresses: a reason is about a change, and whose change it
/// is stands beside it.
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
    fn a_reason_is_one_line_of_bounded_length_that_names_nobody() {
        assert_eq!(kept(" three \n seats\tat\u{0}most ").as_deref(), Some("three seats at most"));
        assert_eq!(kept("ask a@contoso.example first").as_deref(), Some("ask … first"));
        assert_eq!(kept(" \u{7}\n "), None);
        let long = kept(&"å".repeat(1000)).expect("a reason");
        assert_eq!(long.chars().count(), LONGEST_REASON);
    }

    #[test]
    fn names_are_what_is_written() {
        for verdict in [Verdict::Accept, Verdict::Reject] {
            assert_eq!(serde_json::json!(verdict), verdict.name());
        }
        for by in [
            Authority::Publisher,
            Authority::InForce,
            Authority::Rules,
            Authority::Product,
            Authority::Fallback,
            Authority::Policy,
        ] {
            assert_eq!(serde_json::json!(by), by.name());
        }
    }
}
