//! The requests that our store sends. A member that is not listed here makes a request invalid.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;
use crate::value::{Item, Value};

/// What placeholders of expressions stand for.
pub(crate) type Names = BTreeMap<String, String>;
pub(crate) type Values = BTreeMap<String, Value>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct GetItem {
    pub table_name: String,
    pub key: Item,
    #[serde(default)]
    pub consistent_read: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct BatchGetItem {
    pub request_items: BTreeMap<String, KeysAndAttributes>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct KeysAndAttributes {
    pub keys: Vec<Item>,
    #[serde(default)]
    pub consistent_read: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct BatchWriteItem {
    pub request_items: BTreeMap<String, Vec<WriteRequest>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct WriteRequest {
    pub put_request: PutRequest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct PutRequest {
    pub item: Item,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Query {
    pub table_name: String,
    pub index_name: Option<String>,
    pub limit: usize,
    #[serde(default)]
    pub consistent_read: bool,
    pub key_condition_expression: String,
    pub filter_expression: Option<String>,
    /// Where it is `false`, the highest sort key comes first.
    pub scan_index_forward: Option<bool>,
    #[serde(default)]
    pub expression_attribute_names: Names,
    #[serde(default)]
    pub expression_attribute_values: Values,
    pub exclusive_start_key: Option<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Scan {
    pub table_name: String,
    pub index_name: String,
    pub limit: usize,
    pub exclusive_start_key: Option<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct DeleteItem {
    pub table_name: String,
    pub key: Item,
    pub condition_expression: Option<String>,
    #[serde(default)]
    pub expression_attribute_names: Names,
    #[serde(default)]
    pub expression_attribute_values: Values,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Put {
    pub table_name: String,
    pub item: Item,
    pub condition_expression: Option<String>,
    #[serde(default)]
    pub expression_attribute_names: Names,
    #[serde(default)]
    pub expression_attribute_values: Values,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct UpdateItem {
    pub table_name: String,
    pub key: Item,
    pub update_expression: String,
    pub condition_expression: Option<String>,
    #[serde(default)]
    pub expression_attribute_names: Names,
    #[serde(default)]
    pub expression_attribute_values: Values,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct TransactWriteItems {
    pub transact_items: Vec<TransactItem>,
    pub client_request_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) enum TransactItem {
    Put(Put),
    Delete(Delete),
}

/// A delete without a condition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Delete {
    pub table_name: String,
    pub key: Item,
}

pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::Invalid(error.to_string()))
}
