//! Why a function was started.

use emulator::Dispatch;
use memory_store::Entry;
use uuid::Uuid;

use crate::io::Caller;
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

    /// Who calls.
    pub(crate) fn caller(&self) -> Caller {
        match self {
            Self::Visit | Self::Confirm(_) => Caller::Buyer,
            Self::Deliver(dispatch) => Caller::Microsoft(dispatch.operation),
            Self::Forged | Self::Edited => Caller::Stranger,
            Self::Activate(_) => Caller::Activation,
            Self::Manage | Self::Keyed(_) => Caller::Publisher,
            Self::Reconcile => Caller::Schedule,
            Self::Stream(_) | Self::Sweep => Caller::Other,
        }
    }

    /// The caller's principal, as the gateway passes it to the management API.
    pub(crate) fn principal(&self) -> Option<&'static str> {
        match self {
            Self::Manage => Some("arn:aws:iam::111122223333:role/Desk"),
            Self::Keyed(_) => Some("arn:aws:iam::111122223333:role/Batch"),
            _ => None,
        }
    }

    /// The name under which a run counts what becomes of it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Visit => "visit",
            Self::Confirm(_) => "confirm",
            Self::Deliver(_) => "webhook",
            Self::Forged => "forged call",
            Self::Edited => "stolen token",
            Self::Activate(_) => "activation",
            Self::Manage => "management",
            Self::Keyed(_) => "keyed request",
            Self::Reconcile => "reconciliation",
            Self::Stream(_) => "stream",
            Self::Sweep => "sweep",
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
