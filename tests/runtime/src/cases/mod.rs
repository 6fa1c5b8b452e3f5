//! Tests of every payload in `events/`, written from Microsoft's specification. The ids are those
//! of `shared/FACTS.md`.

pub mod activation;
pub mod console;
pub mod delivery;
pub mod landing;
pub mod management;
pub mod reconciliation;
pub mod webhook;

/// A table of cases: the payload's name, and the function that tests it.
macro_rules! cases {
    ($($name:literal => $run:ident,)*) => {
        pub const CASES: &[$crate::Case] = &[
            $($crate::Case { name: $name, run: |case| ::std::boxed::Box::pin($run(case)) },)*
        ];
    };
}

use cases;
