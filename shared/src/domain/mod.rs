//! The rules of a subscription's life: pure, in one place.
//!
//! Nothing here waits, reads a clock, an environment or a network. Everything known arrives as one
//! of two facts, an [`Observation`] (the subscription as Get, List or Resolve returned it) or an
//! [`Operation`] (a requested change as Get Operation returned it); a rule takes the [`Record`] and
//! a fact and returns a [`Decision`] for the caller to carry out.

mod binding;
mod event;
mod lifecycle;
mod observation;
mod observe;
mod operation;
mod record;
mod review;
mod sign_up;
mod subscription;

pub use binding::{Account, BindingRule, Bound, Role, bind};
pub use event::{Cause, Event, EventKind, Position};
pub use observation::{IncompleteObservation, Observation};
pub use observe::{Change, Decision, SETTLING_WINDOW, Staleness, apply, observe, reinstate};
pub use operation::{Action, Operation, OperationId, OperationSource, OperationStatus};
pub use record::{
    ACTIVATION_DEADLINE, ACTIVATION_DEADLINE_NOTICE, ActivationRequest, PendingOperation, Record,
};
pub use review::{
    Authority, ChangePolicy, ChangeRules, RequestedChange, Review, RulesError, Ruling, Said,
    Verdict, reject, rejected_before, review,
};
pub use sign_up::SignUp;
pub use subscription::{CustomerOperation, Party, Status, Subscription, SubscriptionId, Term};
