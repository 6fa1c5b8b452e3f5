//! The handlers that ship, over HTTP, against Microsoft's side as the specification describes it,
//! on an embedded DynamoDB. One module per function or concern; `T-n` in a name is the case of the
//! conformance index, `F-…` in a comment the fact it is held against.

mod store;
mod client;
mod activation;
mod landing;
mod life;
mod probe;
mod scene;
mod webhook;
mod webhook_calls;
mod token;
mod failing_store;
mod webhook_faults;
