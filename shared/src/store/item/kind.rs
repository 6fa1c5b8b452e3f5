//! The kinds of items, and their keys.

use std::fmt::Display;

use super::attribute::{Item, PARTITION, SORT, text};

macro_rules! kinds {
    ($($(#[$meaning:meta])* $kind:ident = $partition:literal $sort:literal,)+) => {
        /// The kinds of items in the table. Every item's key is made here, so each item is of one of them.
        ///
        /// The beginnings of keys are a contract with every deployed version.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ItemKind {
            $($(#[$meaning])* $kind,)+
        }

        impl ItemKind {
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The beginning of the partition key.
            pub const fn partition(self) -> &'static str {
                match self {
                    $(Self::$kind => $partition,)+
                }
            }

            /// The beginning of the sort key.
            pub const fn sort(self) -> &'static str {
                match self {
                    $(Self::$kind => $sort,)+
                }
            }
        }
    };
}

kinds! {
    /// A subscription as last known.
    Record = "SUB#" "RECORD",
    /// An answered operation.
    Mark = "SUB#" "OP#",
    /// A recorded event.
    Event = "SUB#" "EVENT#",
    /// By which beginning of a value the subscription is found.
    Search = "SUB#" "SEARCH#",
    /// How far a target has received a subscription's events.
    Cursor = "SUB#" "DELIVERY#",
    /// An attempt to deliver an event, which failed.
    Attempt = "SUB#" "ATTEMPT#",
    /// The publisher's own reference and metadata of a subscription.
    Annotations = "SUB#" "ANNOTATIONS",
    /// That a run of the reconciliation has compared the subscription.
    Compared = "SUB#" "COMPARED",
    /// A request with an `Idempotency-Key`.
    IdempotencyRecord = "REQUEST#" "REQUEST",
    /// How far the reconciliation has come.
    Checkpoint = "RUN" "RECONCILIATION",
    /// How far a dry run has come.
    DryRun = "RUN" "DRY-RUN",
    /// A run of the reconciliation that had something to say.
    Run = "RUN" "ROUND#",
    /// The runs are paused.
    Pause = "RUN" "PAUSE",
    /// A subscription whose personal data was erased.
    Erasure = "ERASED" "",
    /// After which version the versions of new records begin.
    Epoch = "EPOCH" "EPOCH",
    /// A token or a code that Microsoft refused.
    Refusal = "REFUSED#" "REFUSED",
    /// When something was last seen.
    Sighting = "SEEN" "",
    /// When the deployment first started.
    FirstStart = "DEPLOYMENT" "FIRST_START",
    /// Since when a receiver of events is there, and whether it is paused.
    Receiver = "RECEIVERS" "",
    /// From when on the next event may be sent to a target.
    Pace = "PACE" "",
    /// What single offers have of their own on the landing page.
    Offers = "OFFERS" "SETTINGS",
    /// What the last examination of the deployment found.
    Examination = "EXAMINATION" "LAST",
}

impl ItemKind {
    /// The key of an item of this kind, from the ends of both keys.
    pub(in crate::store) fn key(self, partition: impl Display, sort: impl Display) -> Item {
        let partition = format!("{}{partition}", self.partition());
        let sort = format!("{}{sort}", self.sort());
        Item::from([(PARTITION.to_owned(), text(partition)), (SORT.to_owned(), text(sort))])
    }
}
