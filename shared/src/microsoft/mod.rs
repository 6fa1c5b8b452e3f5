//! Microsoft's side: the fulfillment API, and the tokens that Entra issues.

pub mod entra;
pub mod fulfillment;
