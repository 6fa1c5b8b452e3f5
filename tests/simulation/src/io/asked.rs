//! What Microsoft was asked for, and what came of it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use shared::domain::OwnRequest;
use uuid::Uuid;

use super::turn::Ask;

#[derive(Default)]
pub(super) struct Changes {
    /// The accepted ones, by Microsoft's operation.
    pub(super) accepted: HashMap<Uuid, Accepted>,
    /// The idempotency keys under which Microsoft was asked, and accepted or may have accepted.
    pub(super) taken: HashMap<String, Taken>,
    /// Every request that was made under a key.
    pub(super) made: HashMap<String, Vec<Arc<Ask>>>,
    /// The last request that was made under a key.
    pub(super) last: Option<Arc<Ask>>,
}

/// A change that Microsoft accepted.
#[derive(Clone)]
pub(crate) struct Accepted {
    /// As the function noted it before, which the simulation has checked.
    pub(crate) own: OwnRequest,
    /// The request of the management API; `None`: a buyer asked.
    pub(crate) ask: Option<Arc<Ask>>,
}

pub(super) struct Taken {
    pub(super) ask: Arc<Ask>,
    pub(super) at: Timestamp,
}
