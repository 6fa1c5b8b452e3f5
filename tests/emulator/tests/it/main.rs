//! Tests of the emulator against the specification. Only `http`, `kept` and `page` need a socket.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod activation;
mod changes;
mod delivery;
mod entra;
mod faults;
mod http;
mod kept;
mod lifecycle;
mod page;
mod publisher;
mod reads;
mod sign_in;
mod ways;
mod wire;
