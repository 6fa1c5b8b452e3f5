//! The handlers that ship, over HTTP, against Microsoft's side as the specification describes it,
//! on an embedded DynamoDB. One module per function or concern; `T-n` in a name is the case of the
//! conformance index, `F-…` in a comment the fact it is held against.

mod activation;
mod activation_repeats;
mod browser;
mod client;
mod decision;
mod decision_silence;
mod delivery;
mod delivery_effects;
mod delivery_faults;
mod delivery_scene;
mod delivery_schemas;
mod facts;
mod failing_store;
mod landing;
mod landing_asks;
mod landing_look;
mod landing_manage;
mod life;
mod logs;
mod management;
mod management_changes;
mod management_keys;
mod management_told;
mod openapi;
mod probe;
mod receivers;
mod reconciliation;
mod reconciliation_pages;
mod reconciliation_repairs;
mod scene;
mod sign_in;
mod sign_in_attacks;
mod sign_in_cookies;
mod store;
mod token;
mod token_claims;
mod token_handler;
mod token_keys;
mod webhook;
mod webhook_calls;
mod webhook_claims;
mod webhook_faults;
mod webhook_forms;
mod webhook_order;
