//! The real binary, against the functions that ship, Microsoft's side emulated and the embedded
//! database. The clock is the emulator's and moves by hand: nothing happens unless a test makes it.

mod acting;
mod reading;
mod scene;
mod signing;
mod waiting;
