//! Why a function was started.

use std::sync::Arc;

use emulator::Dispatch;
use memory_store::Entry;
use uuid::Uuid;

use crate::browser::Visit;
use crate::host::{Function, Host};
use crate::io::{Ask, Caller};

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
    /// The publisher asks for an erasure of personal data.
    Erase(Uuid),
    /// A visitor's browser, with sign-in on.
    Browse(Arc<Visit>),
    Manage,
    /// A change that the publisher asks for, possibly with an idempotency key and repeated.
    Ask(Arc<Ask>),
    /// A slice of the reconciliation, in this execution environment.
    Reconcile(u8),
    /// The table's stream delivers new events.
    Stream(Batch),
    /// The delivery's schedule looks for pending events.
    Sweep,
}

/// A batch of one shard's records.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) shard: u8,
    pub(crate) entries: Vec<Entry>,
}

impl Purpose {
    pub(crate) fn function(&self) -> Function {
        match self {
            Self::Visit | Self::Confirm(_) | Self::Browse(_) => Function::Landing,
            Self::Deliver(_) | Self::Forged | Self::Edited => Function::Webhook,
            Self::Activate(_) => Function::Activation,
            Self::Manage | Self::Ask(_) | Self::Erase(_) => Function::Management,
            Self::Reconcile(_) => Function::Reconciliation,
            Self::Stream(_) | Self::Sweep => Function::Delivery,
        }
    }

    /// Where it runs. Each shard of the stream keeps an execution environment of its own busy.
    pub(crate) fn host(&self) -> Host {
        let environment = match self {
            Self::Reconcile(environment) => *environment,
            Self::Stream(batch) => 1 + batch.shard,
            _ => 0,
        };
        Host { function: self.function(), environment }
    }

    /// Who calls.
    pub(crate) fn caller(&self) -> Caller {
        match self {
            Self::Visit | Self::Confirm(_) | Self::Browse(_) => Caller::Buyer,
            Self::Deliver(dispatch) => Caller::Microsoft(dispatch.operation),
            Self::Forged | Self::Edited => Caller::Stranger,
            Self::Activate(_) => Caller::Activation,
            Self::Manage | Self::Ask(_) | Self::Erase(_) => Caller::Publisher,
            Self::Reconcile(_) => Caller::Schedule,
            Self::Stream(_) | Self::Sweep => Caller::Other,
        }
    }

    /// The caller's principal, as the gateway passes it to the management API.
    pub(crate) fn principal(&self) -> Option<&'static str> {
        match self {
            Self::Manage | Self::Erase(_) => Some("arn:aws:iam::111122223333:role/Desk"),
            Self::Ask(ask) if ask.key.is_some() => Some("arn:aws:iam::111122223333:role/Batch"),
            Self::Ask(_) => Some("arn:aws:iam::111122223333:role/Desk"),
            _ => None,
        }
    }

    pub(crate) fn ask(&self) -> Option<Arc<Ask>> {
        match self {
            Self::Ask(ask) => Some(ask.clone()),
            _ => None,
        }
    }

    pub(crate) fn visit(&self) -> Option<Arc<Visit>> {
        match self {
            Self::Browse(visit) => Some(visit.clone()),
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
            Self::Erase(_) => "erasure",
            Self::Ask(ask) if ask.key.is_some() => "keyed request",
            Self::Ask(_) => "management",
            Self::Browse(_) => "browser",
            Self::Reconcile(_) => "reconciliation",
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
            Self::Browse(visit) => format!("browser {} {:?}", visit.browser, visit.step),
            Self::Ask(ask) => match &ask.key {
                Some(key) => format!("Keyed({key:?})"),
                None => "Manage".to_owned(),
            },
            Self::Stream(batch) => {
                format!("shard {} delivers {} events", batch.shard, batch.entries.len())
            }
            Self::Reconcile(_) => "Reconcile".to_owned(),
            other => format!("{other:?}"),
        }
    }
}
