//! The rate limit: how fast events are sent to one receiver.
//!
//! A second is divided into as many slots as the limit allows events, and each event is sent in a slot of
//! its own. A process reserves the slots in the table, a few at a time, so the limit holds for all
//! processes together. Slots that pass unused are lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::config::RateLimit;
use shared::host::clock::Clock;
use shared::store::{Pacing, StoreError, Target};
use tokio::sync::Mutex;

/// How many times a second a process reserves slots, at most. More often means more writes; less often
/// means that more slots are lost when a process has nothing more to send.
const RESERVATIONS: u32 = 10;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

pub(crate) struct Pace {
    pacing: Arc<dyn Pacing>,
    clock: Arc<dyn Clock>,
    /// The length of a slot.
    slot: SignedDuration,
    /// Slots per reservation.
    batch: u32,
    /// The beginnings of reserved slots, in order.
    reserved: Mutex<BTreeMap<Target, VecDeque<Timestamp>>>,
}

impl Pace {
    pub(crate) fn new(limit: RateLimit, clock: Arc<dyn Clock>) -> Self {
        let RateLimit { per_second, pacing } = limit;
        // Rounded up, so that a second never holds one more.
        let slot = SignedDuration::from_nanos(1)
            + SECOND / i32::try_from(per_second.get()).unwrap_or(i32::MAX);
        let batch = (per_second.get() / RESERVATIONS).max(1);
        Self { pacing, clock, slot, batch, reserved: Mutex::default() }
    }

    /// Waits for the target's next slot, and returns whether there is one that begins before `end`.
    pub(crate) async fn wait(&self, target: Target, end: Timestamp) -> Result<bool, StoreError> {
        let Some(slot) = self.next(target, end).await? else { return Ok(false) };
        let pause = slot.duration_since(self.clock.now());
        // A slot that has just begun needs no pause.
        self.clock.sleep(Duration::try_from(pause).unwrap_or_default()).await;
        Ok(true)
    }

    async fn next(&self, target: Target, end: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        // Held during the reservation: of the events that wait here, only one reserves.
        let mut reserved = self.reserved.lock().await;
        let reserved = reserved.entry(target).or_default();
        let now = self.clock.now();
        reserved.retain(|slot| *slot >= now);
        if let Some(slot) = reserved.pop_front() {
            return Ok((slot < end).then_some(slot));
        }
        let slots = i32::try_from(self.batch).unwrap_or(i32::MAX);
        let begins = self.pacing.reserve(target, now, end, self.slot * slots).await?;
        if let Some(begins) = begins {
            reserved.extend((1..slots).map(|number| begins + self.slot * number));
        }
        Ok(begins)
    }
}
