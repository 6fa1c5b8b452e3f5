//! The questions of the form beside the contact address.

use serde::Deserialize;
use serde_json::Value;

use super::label::Label;

/// A question to the buyer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The key under which the product finds the answer.
    pub name: String,
    pub label: Label,
    #[serde(default)]
    pub required: bool,
    /// In characters.
    #[serde(default = "usual_length")]
    pub max_length: usize,
}

fn usual_length() -> usize {
    100
}

const MEMBERS: [&str; 4] = ["name", "label", "required", "maxLength"];

// Lengths are in characters. A record, its events and the form hold this much with ease.
const MOST_FIELDS: usize = 10;
const LONGEST_FIELD: usize = 500;
const LONGEST_FIELD_NAME: usize = 40;

/// The form's own names.
const RESERVED_NAMES: [&str; 3] = ["contact", "submit", "token"];

const FORM: &str =
    r#"is not a list such as [{"name":"company","label":"Company","required":true}]"#;

pub(super) fn fields(text: &str) -> Result<Vec<Field>, &'static str> {
    let list: Value = serde_json::from_str(text).map_err(|_| FORM)?;
    if has_unknown_member(&list) { Err(FORM) } else { fields_of(&list) }
}

/// Whether a field has a member that this version doesn't know.
pub(super) fn has_unknown_member(list: &Value) -> bool {
    let objects = list.as_array().into_iter().flatten().filter_map(Value::as_object);
    objects.flat_map(|object| object.keys()).any(|name| !MEMBERS.contains(&name.as_str()))
}

/// Skips members that it doesn't know.
pub(super) fn fields_of(list: &Value) -> Result<Vec<Field>, &'static str> {
    // serde would read a list as the members in their order.
    if !list.as_array().is_some_and(|list| list.iter().all(Value::is_object)) {
        return Err(FORM);
    }
    let fields: Vec<Field> = Deserialize::deserialize(list).map_err(|_| FORM)?;
    if fields.len() > MOST_FIELDS {
        return Err("has more than ten fields");
    }
    for (at, field) in fields.iter().enumerate() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !(1..=LONGEST_FIELD_NAME).contains(&field.name.len()) || !field.name.chars().all(is_name)
        {
            return Err("has a name that isn't 1 to 40 letters, digits, `-` or `_`");
        }
        let is_taken = RESERVED_NAMES.contains(&field.name.as_str())
            || fields[..at].iter().any(|other| other.name == field.name);
        if is_taken {
            return Err("has a name that is taken");
        }
        if !(1..=LONGEST_FIELD).contains(&field.max_length) {
            return Err("has a maxLength that isn't 1 to 500");
        }
        if !field.label.is_fit() {
            return Err("has a label that is empty or too long");
        }
    }
    Ok(fields)
}
