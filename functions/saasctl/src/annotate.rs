//! The publisher's own reference and metadata of one subscription.

use http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::record::record_text;

/// Sets the reference; `None` removes it.
pub(crate) async fn set_reference(
    api: &Api,
    output: &Output,
    id: Uuid,
    reference: Option<&str>,
) -> Result<(), CommandError> {
    set(api, output, id, json!({ "reference": reference })).await
}

/// Sets these pairs, and removes the keys in `removed`.
pub(crate) async fn set_metadata(
    api: &Api,
    output: &Output,
    id: Uuid,
    pairs: &[(String, String)],
    removed: &[String],
) -> Result<(), CommandError> {
    let mut metadata: Map<String, Value> =
        removed.iter().map(|key| (key.clone(), Value::Null)).collect();
    metadata.extend(pairs.iter().map(|(key, value)| (key.clone(), json!(value))));
    set(api, output, id, json!({ "metadata": metadata })).await
}

async fn set(api: &Api, output: &Output, id: Uuid, patch: Value) -> Result<(), CommandError> {
    let answer = api.call(&ApiCall::new(Method::PATCH, format!("/{id}")).body(patch)).await?;
    output.print(&record_text(output, &answer.body))
}
