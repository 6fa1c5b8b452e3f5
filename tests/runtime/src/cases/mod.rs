//! What must come of each payload of `events/`, told from the specification. Facts are cited by
//! their numbers there.

pub mod activation;
pub mod delivery;
pub mod landing;
pub mod management;
pub mod reconciliation;
pub mod webhook;

/// A table of cases: the payload's name, and what happens with it.
macro_rules! cases {
    ($($name:literal => $run:ident,)*) => {
        /// Every case.
        pub const CASES: &[$crate::Case] = &[
            $($crate::Case { name: $name, run: |play| ::std::boxed::Box::pin($run(play)) },)*
        ];
    };
}

use cases;
