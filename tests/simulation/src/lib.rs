//! The claim "the state can't be lost, doubled or forged", made checkable.
//!
//! One seed decides everything: what people and Microsoft do, the order, duplication and delay of
//! webhooks, late reads, time, and a fault at any I/O of any function: refused before, lost after,
//! timed out, or the function killed between any two effects. The handlers are the ones that ship,
//! down to the requests they put on the wire; Microsoft is the emulator's world; the table is a
//! store held equal to the DynamoDB one by the contract suite both pass.
//!
//! There is no network, no wall clock and no waiting: the same seed is the same run.

mod exhaustive;
mod invariants;
mod io;
mod outbox;
mod product;
mod publisher;
mod replay;
mod requests;
mod run;
mod running;
mod store;
mod storm;
mod stream;
mod tasks;
mod transport;

pub use exhaustive::{Broken, Flow, Trouble, every_trouble, trouble};
pub use io::Fault;
pub use run::{Run, Violation, history, simulate};
pub use running::replay;
pub use store::MemoryStore;
pub use stream::{Entry, records};
