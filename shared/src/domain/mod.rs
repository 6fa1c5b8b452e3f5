//! The rules of a subscription's life: pure, and in one place.
//!
//! Nothing here waits, reads a clock, an environment or a network. Everything we know arrives as
//! one of two facts: an [`Observation`] (the subscription as Get, List or Resolve returned it) or
//! an [`Operation`] (a requested change as Get Operation returned it). A rule takes the [`Record`]
//! and a fact, and returns a [`Decision`] that the caller carries out.

mod annotations;
mod claim;
mod claiming;
mod decision;
mod declining;
mod due_work;
mod epoch;
mod erasure;
mod event;
mod evidence;
mod identification;
mod import;
mod lifecycle;
mod note;
mod noted;
mod observation;
mod observe;
mod operation;
mod operation_id;
mod own_request;
mod purchase_decision;
mod record;
mod requested_change;
mod review;
mod ruling;
mod search;
mod seen_plan;
mod sign_up;
mod subscription;
mod test_event;
mod transitions;

pub use annotations::{
    AnnotationPatch, Annotations, InvalidAnnotation, LONGEST_KEY, LONGEST_REFERENCE, LONGEST_VALUE,
    MOST_PAIRS, MetadataPatch, reference,
};
pub use claim::{Claim, Claimant};
pub use decision::{Decision, NextVersion, Staleness};
pub use declining::DeclineRefused;
pub use epoch::RESTATED_AFTER;
pub use erasure::{ErasureRefused, KEPT_AFTER_END};
pub use event::{Cause, Event, EventKind, Position};
pub use evidence::{Requested, is_settling, is_young, proven_by};
pub use identification::{
    Account, Identification, IdentifiedAs, MatchedBy, PERSONAL_TENANT, Role, identify,
    is_colleague, tenant_for_guest,
};
pub use import::{IMPORT_MARGIN, Import, ImportPolicy, UnknownImportPolicy};
pub use note::{LONGEST_NOTE_TEXT, MOST_NOTE_BYTES, MOST_NOTES, Note, NoteRefused, note_text};
pub use observation::{IncompleteObservation, Observation};
pub use observe::{apply, followed, observe, reinstate, reinstated};
pub use operation::{Action, Operation, OperationSource, OperationStatus};
pub use operation_id::OperationId;
pub use own_request::{OwnRequest, Requester};
pub use purchase_decision::{PurchaseDecision, purchase_reason};
pub use record::{ActivationRequest, PendingOperation, Record, SETTLING_WINDOW};
pub use requested_change::RequestedChange;
pub use review::{
    ChangePolicy, ChangeRules, Review, RuleVerdict, RulesError, reject, rejected_before, review,
};
pub use ruling::{DecidedBy, LONGEST_REASON, Ruling, Verdict};
pub use search::{SearchField, SearchTerm, SearchTerms};
pub use seen_plan::SeenPlan;
pub use sign_up::SignUp;
pub use subscription::{CustomerOperation, Party, Status, Subscription, SubscriptionId, Term};
pub use test_event::TEST_SUBSCRIPTION;
pub use transitions::{ACTIVATION_DEADLINE, ACTIVATION_DEADLINE_NOTICE};
