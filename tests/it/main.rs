//! The handlers that ship, over HTTP, against Microsoft's side as the specification describes it,
//! on an embedded DynamoDB. One module per function or concern; `T-n` in a name is the case of the
//! conformance index, `F-…` in a comment the fact it is held against.

mod store;
mod activation;
mod client;
mod facts;
mod landing;
mod life;
mod logs;
mod management;
mod management_changes;
mod probe;
mod reconciliation;
mod reconciliation_repairs;
mod scene;
mod webhook;
mod webhook_calls;
mod token;
mod failing_store;
mod webhook_faults;
mod webhook_order;
mod webhook_claims;
mod token_keys;
mod webhook_forms;
