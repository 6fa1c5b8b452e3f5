//! Delivers one subscription's events to each target.
//!
//! A worker advances the target's [`Cursor`] event by event. Each write fails if another worker has
//! moved the cursor in the meantime, so several workers may deliver the same subscription at once.
//! An event is sent only after the target has accepted all events before it: a receiver may see an
//! event twice, but the first copies arrive in order. The pending mark is removed last, when every
//! cursor covers the event, so that a crash loses nothing and at most repeats an event.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::domain::{Annotations, Event, SubscriptionId};
use shared::host::error_class::ErrorClass;
use shared::host::retry::jitter;
use shared::publisher::cloud_event::CloudEvent;
use shared::publisher::receiver::CurrentReceiver;
use shared::store::{Cursor, CursorError, CursorState, ReceiverState, StoreError, Target, Trouble};
use tracing::{error, info, warn};

use crate::receiver::DeliveryError;
use crate::states::States;
use crate::{Delivery, Limits, Outlet, Trigger, attempts, back_off, silence};

/// How often a worker starts over when another one moves the same cursor. After that, the other one
/// does the work.
const ATTEMPTS: u32 = 5;

/// When the events of a paused receiver are looked at again. A resume is in force by then for every
/// subscription; one with a new event doesn't wait.
const LOOKED_AT_AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// The result for one subscription.
#[derive(Clone, Copy, Default)]
pub(crate) struct Attempted {
    /// Acceptances by all targets.
    pub(crate) delivered: u64,
    /// Targets that did not accept an event.
    pub(crate) refused: u64,
    /// Whether events are left because the time was over.
    pub(crate) is_cut_short: bool,
}

/// Where a worker stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The target accepted every event, or its next attempt is later, or the events are parked.
    Covered,
    /// The target did not accept an event. The cursor covers it.
    Refused,
    OutOfTime,
    /// Another worker moves the same cursor.
    Contended,
}

impl Delivery {
    /// Whether a target is configured.
    pub(crate) fn has(&self, target: Target) -> bool {
        self.outlets.iter().any(|outlet| outlet.target() == target)
    }

    /// Delivers a subscription's events to all targets.
    pub(crate) async fn deliver(
        &self,
        trigger: &Trigger,
        states: &States,
        limits: Limits,
    ) -> Result<Attempted, StoreError> {
        // Read once for all events and targets. Where they can't be read, no event is sent without them: the
        // product may need the reference to know whose event it is.
        let annotations = match self.annotations.annotations(trigger.id).await {
            Ok(annotations) => Ok(annotations),
            Err(StoreError::Corrupt { key, .. }) => Err(unreadable(&key)),
            Err(error) => return Err(error),
        };
        let outlets = self.outlets.iter();
        let outlets =
            outlets.filter(|outlet| trigger.only.is_none_or(|only| only == outlet.target()));
        let lanes = outlets.map(|outlet| {
            let state = states.get(&outlet.target());
            self.deliver_to((outlet, state), trigger, &annotations, limits)
        });
        let mut attempted = Attempted::default();
        let mut are_covered = true;
        for delivered in join_all(lanes).await {
            let (events, end) = delivered?;
            attempted.delivered += events;
            attempted.refused += u64::from(end == End::Refused);
            attempted.is_cut_short |= end == End::OutOfTime;
            are_covered &= matches!(end, End::Covered | End::Refused);
        }
        if are_covered && !trigger.pending.is_empty() {
            self.outbox.settle(trigger.id, &trigger.pending).await?;
        }
        Ok(attempted)
    }

    /// Returns how many events the target accepted, too.
    async fn deliver_to(
        &self,
        (outlet, state): (&Outlet, Option<&ReceiverState>),
        trigger: &Trigger,
        annotations: &Result<Option<Annotations>, DeliveryError>,
        limits: Limits,
    ) -> Result<(u64, End), StoreError> {
        let mut events = 0;
        for _ in 0..ATTEMPTS {
            let cursor = Cursor::default();
            let id = trigger.id;
            let state = state.cloned();
            let mut lane =
                Lane { id, outlet, state, annotations, cursor, events, is_unsaved: false };
            match self.advance(&mut lane, trigger, limits).await {
                Ok(end) => return Ok((lane.events, end)),
                Err(CursorError::Conflict) => events = lane.events,
                Err(CursorError::Store(error)) => return Err(error),
            }
        }
        Ok((events, End::Contended))
    }

    /// Delivers from the cursor on.
    async fn advance(
        &self,
        lane: &mut Lane<'_>,
        trigger: &Trigger,
        limits: Limits,
    ) -> Result<End, CursorError> {
        let stored = self.outbox.cursor(lane.id, lane.target()).await?;
        lane.cursor = lane.current().own(&stored);
        // What an earlier receiver of this name has left leaves the list of what is due.
        lane.is_unsaved = lane.cursor.state != stored.state;
        if self.waits(lane) {
            if !trigger.pending.is_empty() {
                // Bumps the revision. A worker whose clock is ahead of ours may be about to remove
                // the mark, and must read the cursor again.
                self.save(lane).await?;
            }
            return Ok(End::Covered);
        }
        loop {
            let backlog = match self.outbox.backlog(lane.id, lane.cursor.delivered).await {
                Ok(backlog) => backlog,
                Err(StoreError::Corrupt { key, .. }) => {
                    return self.failed(lane, &unreadable(&key)).await;
                }
                Err(error) => return Err(error.into()),
            };
            let Some(last) = backlog.events.last().map(Event::position) else {
                if lane.cursor.state != CursorState::Flowing {
                    lane.cursor.state = CursorState::Flowing;
                    lane.is_unsaved = true;
                }
                self.save_if_unsaved(lane).await?;
                return Ok(End::Covered);
            };
            let annotations = match lane.annotations {
                Ok(annotations) => annotations.as_ref(),
                Err(unreadable) => return self.failed(lane, unreadable).await,
            };
            self.look_again(lane, &backlog.events).await?;
            for event in &backlog.events {
                if self.is_over(limits) {
                    return self.out_of_time(lane).await;
                }
                let is_last = !backlog.more && event.position() == last;
                if !lane.current().takes(event) {
                    self.passed(lane, event, is_last);
                    lane.is_unsaved = true;
                    continue;
                }
                if lane.current().pause().is_some() {
                    return self.postponed(lane, LOOKED_AT_AGAIN, None).await;
                }
                if self.silence.is_silent(lane.target()) {
                    let trouble = match &lane.cursor.state {
                        CursorState::Due { trouble, .. } => trouble.clone(),
                        CursorState::Flowing | CursorState::Parked { .. } => None,
                    };
                    return self.postponed(lane, silence::REST, trouble).await;
                }
                if let Some(pace) = &self.pace
                    && !pace.wait(lane.target(), trigger.slots_until).await?
                {
                    return self.out_of_time(lane).await;
                }
                let sent = CloudEvent::new(event, &self.source).with_annotations(annotations);
                let (target, at) = (lane.target(), self.clock.now());
                let attempted = attempts::Attempted { event, sent_event: &sent, target, at };
                let mut attempt = lane.outlet.receiver.send(&sent).await;
                let is_answered = attempt.outcome.is_ok() || attempt.status.is_some();
                self.silence.note(target, is_answered, attempt.latency);
                self.attempts.keep_test(&attempted, &mut attempt).await;
                if let Err(error) = &attempt.outcome {
                    let end = self.failed(lane, error).await?;
                    self.attempts.keep_failed(&attempted, attempt).await;
                    return Ok(end);
                }
                lane.events += 1;
                info!(
                    subscription.id = %lane.id, event = event.kind.name(), event.id = sent.id,
                    target = lane.target().name(), "delivered an event"
                );
                self.passed(lane, event, is_last);
                self.save(lane).await?;
            }
            self.save_if_unsaved(lane).await?;
            if !backlog.more {
                return Ok(End::Covered);
            }
        }
    }

    /// A function with a filter that takes more may have begun to run after this one read the states. So no
    /// event is left out before they are read again, after the event.
    async fn look_again(&self, lane: &mut Lane<'_>, events: &[Event]) -> Result<(), StoreError> {
        if !events.iter().any(|event| lane.current().leaves_out(event)) {
            return Ok(());
        }
        let state = self.receivers.receivers().await?.remove(&lane.target());
        let added_at = |state: &Option<ReceiverState>| state.as_ref()?.added_at;
        if added_at(&state) == added_at(&lane.state) {
            lane.state = state;
        }
        Ok(())
    }

    fn waits(&self, lane: &Lane<'_>) -> bool {
        match &lane.cursor.state {
            CursorState::Flowing => false,
            CursorState::Due { at, trouble } => {
                // Without a failure, it waits for the end of a pause alone.
                let has_reason = trouble.is_some() || lane.current().pause().is_some();
                has_reason && *at > self.clock.now()
            }
            CursorState::Parked { .. } => true,
        }
    }

    /// Nothing is sent to the target now, which is no failure and never parks. The cursor covers the target's
    /// events, and is looked at again later.
    async fn postponed(
        &self,
        lane: &mut Lane<'_>,
        pause: SignedDuration,
        trouble: Option<Trouble>,
    ) -> Result<End, CursorError> {
        let later = self.clock.now() + pause;
        // Whole seconds, as in the outbox index.
        let at = Timestamp::from_second(later.as_second()).unwrap_or(later);
        lane.cursor.state = CursorState::Due { at, trouble };
        self.save(lane).await?;
        Ok(End::Covered)
    }

    /// The target accepted an event, or the event counts as delivered. The cursor moves to it.
    fn passed(&self, lane: &mut Lane<'_>, event: &Event, is_last: bool) {
        lane.cursor.delivered = event.position();
        lane.cursor.state = match &lane.cursor.state {
            CursorState::Flowing => CursorState::Flowing,
            CursorState::Due { .. } | CursorState::Parked { .. } if is_last => CursorState::Flowing,
            CursorState::Due { .. } | CursorState::Parked { .. } => {
                CursorState::Due { at: self.clock.now(), trouble: None }
            }
        };
    }

    /// Events that the target doesn't take cost no write of their own.
    async fn save_if_unsaved(&self, lane: &mut Lane<'_>) -> Result<(), CursorError> {
        if lane.is_unsaved {
            self.save(lane).await?;
        }
        Ok(())
    }

    async fn out_of_time(&self, lane: &mut Lane<'_>) -> Result<End, CursorError> {
        self.save_if_unsaved(lane).await?;
        Ok(End::OutOfTime)
    }

    /// The target did not accept an event. The cursor schedules the next attempt or parks, which
    /// also covers all later events.
    async fn failed(
        &self,
        lane: &mut Lane<'_>,
        failure: &DeliveryError,
    ) -> Result<End, CursorError> {
        // An item that can't be read. A pause parks nothing.
        if lane.current().pause().is_some() {
            return self.postponed(lane, LOOKED_AT_AGAIN, None).await;
        }
        let jitter = jitter(self.clock.new_id());
        let now = self.clock.now();
        let state = back_off::after(failure, &lane.cursor.state, now, self.park_after, jitter);
        let target = lane.target();
        let (id, target) = (lane.id, target.name());
        match &state {
            CursorState::Parked { trouble, .. } => error!(
                subscription.id = %id, target, attempts = trouble.attempts, reason = failure.reason,
                class = failure.class.name(),
                "parked the events of a subscription; they are sent again only on request"
            ),
            CursorState::Due { at, trouble } => warn!(
                subscription.id = %id, target, reason = failure.reason, again = %at,
                class = failure.class.name(),
                since = trouble.as_ref().map(|trouble| display(trouble.since)),
                metric = "failed_delivery", "could not deliver an event"
            ),
            CursorState::Flowing => {}
        }
        lane.cursor.state = state;
        self.save(lane).await?;
        Ok(End::Refused)
    }

    async fn save(&self, lane: &mut Lane<'_>) -> Result<(), CursorError> {
        lane.cursor.revision += 1;
        lane.cursor.saved_at = lane.cursor.receiver_added_at.map(|_| self.clock.now());
        lane.is_unsaved = false;
        self.outbox.save_cursor(lane.id, lane.target(), &lane.cursor).await
    }
}

fn unreadable(key: &str) -> DeliveryError {
    DeliveryError::of_class(ErrorClass::Table, format!("the item {key} can't be read"))
}

/// One subscription's events on their way to one target.
struct Lane<'a> {
    id: SubscriptionId,
    outlet: &'a Outlet,
    /// What the table knows about the receiver.
    state: Option<ReceiverState>,
    /// The publisher's own reference and metadata.
    annotations: &'a Result<Option<Annotations>, DeliveryError>,
    cursor: Cursor,
    /// Accepted so far.
    events: u64,
    /// Whether the cursor differs from the saved one: as a rule, it passed events that the target doesn't
    /// take.
    is_unsaved: bool,
}

impl Lane<'_> {
    fn target(&self) -> Target {
        self.outlet.target()
    }

    fn current(&self) -> CurrentReceiver<'_> {
        CurrentReceiver { settings: &self.outlet.settings, state: self.state.as_ref() }
    }
}
