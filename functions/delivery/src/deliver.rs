//! One subscription's events on their way to each target.
//!
//! Who carries moves the target's [`Cursor`] under its revision, event by event, so that several may
//! carry the same subscription at once: an event is sent only once all before it have been taken, so
//! whoever receives sees some of them twice, and none out of order. Dying anywhere costs nothing but
//! a repetition: an event loses its sign last, when each target has taken it or remembers it.

use futures_util::future::join_all;
use jiff::Timestamp;
use shared::cloudevent::CloudEvent;
use shared::domain::{Event, SubscriptionId};
use shared::store::{Cursor, CursorError, CursorState, StoreError, Target};
use tracing::{error, info, warn};

use crate::channel::{Channel, Untaken};
use crate::{Delivery, Wake, back_off};

/// How often it is looked again where others move the same cursor. They do the work then.
const ATTEMPTS: u32 = 5;

/// What came of one target.
struct Carried {
    events: u64,
    /// Each event that was there is taken, or remembered by the cursor.
    known: bool,
}

impl Delivery {
    /// Whether a target is among those that are told.
    pub(crate) fn tells(&self, target: Target) -> bool {
        self.channels.iter().any(|channel| channel.target() == target)
    }

    /// Carries a subscription's events to all targets. Returns how many were taken.
    pub(crate) async fn carry(&self, wake: &Wake, begun: Timestamp) -> Result<u64, StoreError> {
        let ways = self.channels.iter().map(Box::as_ref);
        let ways = ways.map(|channel| self.carry_to(channel, wake, begun));
        let mut events = 0;
        let mut known = true;
        for carried in join_all(ways).await {
            let carried = carried?;
            events += carried.events;
            known &= carried.known;
        }
        if known && !wake.signed.is_empty() {
            self.outbox.settle(wake.id, &wake.signed).await?;
        }
        Ok(events)
    }

    async fn carry_to(
        &self,
        channel: &dyn Channel,
        wake: &Wake,
        begun: Timestamp,
    ) -> Result<Carried, StoreError> {
        let mut events = 0;
        for _ in 0..ATTEMPTS {
            let mut way = Way { id: wake.id, channel, cursor: Cursor::default(), events };
            match self.follow(&mut way, wake, begun).await {
                Ok(known) => return Ok(Carried { events: way.events, known }),
                Err(CursorError::Conflict) => events = way.events,
                Err(CursorError::Store(error)) => return Err(error),
            }
        }
        Ok(Carried { events, known: false })
    }

    /// Carries on from where the cursor stands.
    async fn follow(
        &self,
        way: &mut Way<'_>,
        wake: &Wake,
        begun: Timestamp,
    ) -> Result<bool, CursorError> {
        way.cursor = self.outbox.cursor(way.id, way.channel.target()).await?;
        if self.waits(&way.cursor.state) {
            if !wake.signed.is_empty() {
                // Whoever has a clock ahead of ours may be about to say that nothing is left, and has
                // to look once more.
                self.save(way).await?;
            }
            return Ok(true);
        }
        loop {
            let backlog = match self.outbox.backlog(way.id, way.cursor.delivered).await {
                Ok(backlog) => backlog,
                Err(StoreError::Corrupt { key, .. }) => {
                    let untaken = Untaken::soon(format!("the item {key} can't be read"));
                    return self.untaken(way, &untaken).await;
                }
                Err(error) => return Err(error.into()),
            };
            let Some(last) = backlog.events.last().map(Event::position) else {
                if way.cursor.state != CursorState::Flowing {
                    way.cursor.state = CursorState::Flowing;
                    self.save(way).await?;
                }
                return Ok(true);
            };
            for event in &backlog.events {
                if self.is_over(begun) {
                    return Ok(false);
                }
                let told = CloudEvent::new(event, &self.source);
                if let Err(untaken) = way.channel.send(&told).await {
                    return self.untaken(way, &untaken).await;
                }
                let is_last = !backlog.more && event.position() == last;
                self.taken(way, event, &told, is_last).await?;
            }
            if !backlog.more {
                return Ok(true);
            }
        }
    }

    fn waits(&self, state: &CursorState) -> bool {
        match state {
            CursorState::Flowing => false,
            CursorState::Due { at, .. } => *at > self.system.now(),
            CursorState::Parked { .. } => true,
        }
    }

    /// An event was taken; the cursor moves onto it.
    async fn taken(
        &self,
        way: &mut Way<'_>,
        event: &Event,
        told: &CloudEvent<'_>,
        is_last: bool,
    ) -> Result<(), CursorError> {
        way.cursor.delivered = event.position();
        way.cursor.state = match &way.cursor.state {
            CursorState::Flowing => CursorState::Flowing,
            CursorState::Due { .. } | CursorState::Parked { .. } if is_last => CursorState::Flowing,
            CursorState::Due { .. } | CursorState::Parked { .. } => {
                CursorState::Due { at: self.system.now(), trouble: None }
            }
        };
        way.events += 1;
        info!(
            subscription.id = %way.id, event = event.kind.name(), event.id = told.id,
            target = way.channel.target().name(), "delivered an event"
        );
        self.save(way).await
    }

    /// An event was not taken; the cursor remembers it, and all behind it.
    async fn untaken(&self, way: &mut Way<'_>, untaken: &Untaken) -> Result<bool, CursorError> {
        let chance = f64::from(self.system.new_id().as_u128() as u32) / f64::from(u32::MAX);
        let now = self.system.now();
        let state = back_off::after(untaken, &way.cursor.state, now, self.park_after, chance);
        let (id, target) = (way.id, way.channel.target().name());
        match &state {
            CursorState::Parked { trouble, .. } => error!(
                subscription.id = %id, target, attempts = trouble.attempts, reason = untaken.reason,
                metric = "parked", "events are parked; they are told again when somebody asks"
            ),
            CursorState::Due { at, .. } => warn!(
                subscription.id = %id, target, reason = untaken.reason, again = %at,
                "an event was not taken"
            ),
            CursorState::Flowing => {}
        }
        way.cursor.state = state;
        self.save(way).await?;
        Ok(true)
    }

    async fn save(&self, way: &mut Way<'_>) -> Result<(), CursorError> {
        way.cursor.revision += 1;
        self.outbox.save_cursor(way.id, way.channel.target(), &way.cursor).await
    }
}

/// A subscription's way to one target.
struct Way<'a> {
    id: SubscriptionId,
    channel: &'a dyn Channel,
    cursor: Cursor,
    /// Taken on it so far.
    events: u64,
}
