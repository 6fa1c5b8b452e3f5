//! Items and their attributes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An item: its attributes by name.
pub type Item = BTreeMap<String, Value>;

/// An attribute's value, of the types that our store writes. Reading another type is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    S(String),
    /// A number in decimal digits.
    N(String),
    #[serde(rename = "BOOL")]
    Bool(bool),
    #[serde(rename = "NULL")]
    Null(bool),
    L(Vec<Self>),
    M(Item),
}

impl Value {
    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::S(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn number(&self) -> Option<i128> {
        match self {
            Self::N(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// The value as ordinary JSON. `None` if a number is not one of JSON's.
    pub fn plain(&self) -> Option<serde_json::Value> {
        Some(match self {
            Self::S(text) => text.as_str().into(),
            Self::N(digits) => serde_json::Value::Number(digits.parse().ok()?),
            Self::Bool(value) => (*value).into(),
            Self::Null(_) => serde_json::Value::Null,
            Self::L(entries) => entries.iter().map(Self::plain).collect::<Option<Vec<_>>>()?.into(),
            Self::M(members) => {
                let member = |(name, value): (&String, &Self)| Some((name.clone(), value.plain()?));
                serde_json::Value::Object(members.iter().map(member).collect::<Option<_>>()?)
            }
        })
    }

    /// How DynamoDB orders two values. Values of different types have no order.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(ours), Self::S(theirs)) => Some(ours.cmp(theirs)),
            (Self::N(_), Self::N(_)) => Some(self.number()?.cmp(&other.number()?)),
            (ours, theirs) => (ours == theirs).then_some(Ordering::Equal),
        }
    }

    /// Bytes that count toward the item's size, about.
    fn size(&self) -> usize {
        match self {
            Self::S(text) | Self::N(text) => text.len(),
            Self::Bool(_) | Self::Null(_) => 1,
            Self::L(entries) => 3 + entries.iter().map(|entry| 1 + entry.size()).sum::<usize>(),
            Self::M(members) => 3 + size(members) + members.len(),
        }
    }
}

/// The item's size in bytes, about.
pub(crate) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}
