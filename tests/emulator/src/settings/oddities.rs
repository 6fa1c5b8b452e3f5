//! Odd shapes of JSON that were seen in Microsoft's documents or in real traffic.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Which odd shapes Microsoft's JSON takes. By default none.
#[derive(Clone, Debug, Default)]
pub struct Oddities {
    /// Statuses, actions and e-mail addresses have a blank on both sides (F-GEN-11).
    pub padded_strings: bool,
    /// Quantities are strings with a leading blank (F-WHP-7).
    pub numbers_as_strings: bool,
    /// Every object has undocumented members (F-GEN-10).
    pub extra_fields: bool,
    /// `puid` and `objectId` are null (F-OBJ-4).
    pub null_person_ids: bool,
    /// Resolve leaves out the `subscription` member (F-RES-6).
    pub short_resolve: bool,
    /// An operation that doesn't ask for seats names none (F-OP-3).
    pub seats_only_if_requested: bool,
    /// An operation's id is its GUID with this text in front, so it is no GUID.
    pub operation_id_prefix: String,
    /// Every subscription reports this word as its status.
    pub subscription_status: Option<String>,
    /// Every operation reports this word as its status.
    pub operation_status: Option<String>,
    /// Words that replace those of operations' statuses, by the usual word (F-CHP-6).
    pub operation_words: BTreeMap<String, String>,
    /// Beside every `Renew`, Microsoft sends a notice with this action (F-WHA-9, F-WHA-19).
    pub notice_beside_renewal: Option<String>,
    /// Active subscriptions have no dates (F-OBJ-6).
    pub missing_dates: bool,
    /// The quantity of a flat rate on reads (F-OBJ-5).
    pub flat_quantity: FlatQuantity,
    /// Every subscription reports this term unit (`PAY` was seen, F-OBJ-7).
    pub term_unit: Option<String>,
}

/// The quantity of a flat rate on reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlatQuantity {
    #[default]
    Missing,
    Null,
    Zero,
    EmptyText,
}

impl FlatQuantity {
    /// `None`: the member is missing.
    pub(crate) fn wire(self) -> Option<Value> {
        match self {
            Self::Missing => None,
            Self::Null => Some(Value::Null),
            Self::Zero => Some(json!(0)),
            Self::EmptyText => Some(json!("")),
        }
    }
}

impl Oddities {
    pub(crate) fn text(&self, text: &str) -> String {
        if self.padded_strings { format!(" {text} ") } else { text.to_owned() }
    }

    pub(crate) fn quantity(&self, quantity: u32) -> Value {
        if self.numbers_as_strings { json!(format!(" {quantity}")) } else { json!(quantity) }
    }

    /// The word for an operation's status.
    pub(crate) fn operation_word<'a>(&'a self, status: &'a str) -> &'a str {
        let word = self.operation_status.as_ref().or_else(|| self.operation_words.get(status));
        word.map_or(status, String::as_str)
    }

    /// An operation's id as publishers see it.
    pub fn operation_id(&self, id: Uuid) -> String {
        format!("{}{id}", self.operation_id_prefix)
    }

    /// Reads an id in the form that publishers see.
    pub fn read_operation_id(&self, text: &str) -> Option<Uuid> {
        let guid = text.strip_prefix(&self.operation_id_prefix)?;
        // A path may hold only the hyphenated form, which is the one of this length.
        Uuid::try_parse(guid).ok().filter(|_| guid.len() == 36)
    }

    pub(crate) fn add_extras(&self, object: &mut Map<String, Value>) {
        if self.extra_fields {
            object.insert("fulfillmentEngine".into(), json!("v7"));
            object.insert(
                "futureSettings".into(),
                json!({ "regions": ["westeurope"], "level": 3, "flag": null }),
            );
        }
    }
}
