//! Attributes, and the table's keys.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

pub(in crate::store) type Item = HashMap<String, AttributeValue>;

pub(in crate::store) const PARTITION: &str = "pk";
pub(in crate::store) const SORT: &str = "sk";
pub(in crate::store) const VERSION: &str = "version";

pub(in crate::store) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(in crate::store) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
