//! Why a function was started.

use emulator::Dispatch;
use memory_store::Entry;
use uuid::Uuid;

use crate::publisher::Function;

#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    Visit,
    Confirm(Uuid),
    Deliver(Box<Dispatch>),
    /// A webhook call with a forged token.
    Forged,
    /// A webhook call with a stolen genuine token and an invented body.
    Edited,
    Activate(Uuid),
    Manage,
    /// A change request with this idempotency key, possibly a repeated one.
    Keyed(String),
    Reconcile,
    /// The table's stream delivers new events.
    Stream(Vec<Entry>),
    /// The delivery's schedule looks for pending events.
    Sweep,
}

impl Purpose {
    pub(crate) fn function(&self) -> Function {
        match self {
            Self::Visit | Self::Confirm(_) => Function::Landing,
            Self::Deliver(_) | Self::Forged | Self::Edited => Function::Webhook,
            Self::Activate(_) => Function::Activation,
            Self::Manage | Self::Keyed(_) => Function::Management,
            Self::Reconcile => Function::Reconciliation,
            Self::Stream(_) | Self::Sweep => Function::Delivery,
        }
    }

    /// The line for the history.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Deliver(dispatch) => {
                format!(
                    "webhook {} {} attempt {}",
                    dispatch.action.as_str(),
                    dispatch.operation,
                    dispatch.attempt
                )
            }
            Self::Stream(entries) => format!("the stream delivers {} events", entries.len()),
            other => format!("{other:?}"),
        }
    }
}
