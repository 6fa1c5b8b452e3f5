//! The ways in which Microsoft behaves unusually, and how often each really occurred.
//!
//! A setting only allows a way. It has occurred once it changed an answer or an action.

use super::state::World;
use std::collections::BTreeMap;

macro_rules! ways {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)*) => {
        $($(#[$meta])* pub const $name: &str = $text;)*

        /// Every way, in the order above.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

ways! {
    /// Get showed a state that the subscription has left.
    LATE_GET = "a late Get",
    /// List showed an earlier state than Get would have.
    LIST_BEHIND_GET = "List behind Get",
    /// Resolve showed a state that the subscription has left.
    LATE_RESOLVE = "a late Resolve",
    /// A page of the list was answered with an error.
    FAILING_PAGE = "a failing page",
    /// List was in another order than before.
    UNSTABLE_ORDER = "another order of List",
    /// List left an entry out between two pages.
    SKIPPED_ENTRY = "a skipped entry of List",
    /// List repeated an entry.
    DOUBLED_ENTRY = "a doubled entry of List",
    /// Get operation didn't know an operation yet.
    YOUNG_OPERATION = "an operation not found yet",
    /// Get operation doesn't keep a notice's operation.
    NOTICE_WITHOUT_OPERATION = "a notice without an operation",
    /// List operations didn't show a waiting operation yet.
    UNLISTED_OPERATION = "a waiting operation not listed yet",
    /// An operation that the publisher requested began after a pause.
    LATE_START = "a late start of an operation",
    /// An operation had an id that is no GUID.
    ODD_OPERATION_ID = "an operation's id that is no GUID",
    /// An operation ended because its value was in force already.
    CONFLICT = "an operation that ended in Conflict",
    /// PATCH `Failure` was answered with 200 and ignored.
    IGNORED_FAILURE = "an ignored Failure",
    /// PATCH `Failure` ended a reinstatement.
    REFUSED_REINSTATEMENT = "a Reinstate ended by Failure",
    /// A subscription was active before the call that reports its reinstatement.
    EARLY_REINSTATEMENT = "active before the Reinstate call",
    /// An activation failed after its 200.
    FAILED_ACTIVATION = "an activation that failed after its 200",
    /// The clock renewed a term.
    RENEWED_BY_CLOCK = "a term renewed by the clock",
    /// The clock ended a subscription that isn't renewed.
    ENDED_BY_CLOCK = "a term ended by the clock",
    /// A webhook had the very old form.
    VERY_OLD_BODY = "a very old body",
    /// A webhook had an action that the documentation doesn't know.
    UNKNOWN_ACTION = "an unknown action",
    /// An operation's status was an unknown word.
    UNKNOWN_OPERATION_STATUS = "an operation's unknown status",
    /// A subscription's status was an unknown word.
    UNKNOWN_STATUS = "a subscription's unknown status",
    /// A term's unit was an unknown word.
    UNKNOWN_TERM_UNIT = "an unknown term unit",
    /// An active subscription had no dates.
    MISSING_DATES = "an active subscription without dates",
    /// A flat rate had a quantity of 0, an empty text or null.
    ODD_QUANTITY = "an odd quantity of a flat rate",
    /// The list of plans lacked the current one.
    MISSING_PLAN = "the current plan missing among plans",
    /// An access token had another lifetime than an hour.
    ODD_TOKEN_LIFETIME = "an access token of an unusual lifetime",
    /// A purchase token was refused because it had expired.
    EXPIRED_PURCHASE_TOKEN = "an expired purchase token",
}

impl World {
    /// How often each way occurred in this world, by the names in [`ALL`]. A way that never
    /// occurred is missing.
    pub fn occurred(&self) -> &BTreeMap<&'static str, u64> {
        &self.occurred
    }

    pub(super) fn count(&mut self, way: &'static str) {
        *self.occurred.entry(way).or_default() += 1;
    }

    pub(super) fn count_if(&mut self, occurs: bool, way: &'static str) {
        if occurs {
            self.count(way);
        }
    }
}
