//! How far the receivers have come, and everything that they missed sent again.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use shared::domain::{Event, Position, SubscriptionId};
use shared::flows::redelivery::{From, redeliver};
use shared::host::http::{Problem, Request, Response, json as json_response};
use shared::publisher::receiver::CurrentReceiver;
use shared::store::{
    Backlog, Cursor, CursorState, Due, Filter, ListBy, ListQuery, Page, ReceiverState, Sort,
    StoreError, Target, Trouble,
};
use tracing::field::display;
use tracing::info;

use crate::Management;
use crate::cursor;
use crate::problem::{no_receiver, store_problem};

/// How many subscriptions are read or written at a time.
const CONCURRENT: usize = 8;

/// How many changed subscriptions one call recovers. Each costs a read of its history.
const RECOVERED: u8 = 25;

/// What waits is due by then: longer than any pause between two attempts.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(48);

/// How a subscription's events stand at a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DeliveryState {
    /// It has accepted every event.
    UpToDate,
    /// Events are sent by themselves.
    Waiting,
    /// Events are sent only on request: the receiver has failed for too long.
    Parked,
}

impl DeliveryState {
    /// Those of a list, in its order.
    pub(crate) const OPEN: [Self; 2] = [Self::Waiting, Self::Parked];

    /// As serialised.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UpToDate => "upToDate",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
        }
    }
}

/// A receiver's part of a subscription's delivery.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    subscription_id: SubscriptionId,
    receiver: Target,
    state: DeliveryState,
    /// The version of the last event that it accepted; 0 before the first one.
    delivered_version: u64,
    /// Since when the first event waits.
    waiting_since: Option<Timestamp>,
    /// The failures in a row.
    attempts: u32,
    last_error: Option<String>,
    next_attempt_at: Option<Timestamp>,
}

/// What is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Everything that is parked.
    Parked,
    /// Every event that was recorded at this time or later.
    Since(Timestamp),
}

impl Management {
    /// How one subscription's events stand at each receiver.
    pub(crate) async fn deliveries_of(&self, id: SubscriptionId) -> Result<Response, Problem> {
        self.record(id).await?;
        let states = self.states().await?;
        let deliveries = self.standing(id, &states).await.map_err(store_problem)?;
        Ok(json_response(StatusCode::OK, &json!({ "deliveries": deliveries })))
    }

    /// A page of the records with deliveries of this state.
    pub(crate) async fn list_open(
        &self,
        state: DeliveryState,
        filter: &Filter,
        next: Option<&str>,
        request: &Request,
    ) -> Result<Response, Problem> {
        let page = self.open(state, next).await.map_err(unless_cursor)?;
        self.listed(&page, filter, request).await
    }

    /// A page of what waits or is parked.
    pub(crate) async fn deliveries(
        &self,
        state: DeliveryState,
        next: Option<&str>,
    ) -> Result<Response, Problem> {
        let page = self.open(state, next).await.map_err(unless_cursor)?;
        let states = self.states().await?;
        let standing = page.items.into_iter().map(|id| self.standing(id, &states));
        // In the order of the list.
        let standing = stream::iter(standing).buffered(CONCURRENT);
        let standing: Vec<Vec<Delivery>> = standing.try_collect().await.map_err(store_problem)?;
        let open = standing.into_iter().flatten().filter(|delivery| delivery.state == state);
        let next = page.next.as_deref().map(cursor::encode);
        let deliveries: Vec<_> = open.collect();
        Ok(json_response(StatusCode::OK, &json!({ "deliveries": deliveries, "next": next })))
    }

    /// Makes the events of a page of subscriptions due again. The delivery's next sweep sends them.
    pub(crate) async fn recover(
        &self,
        recovery: &Recovery,
        receiver: Option<&str>,
        next: Option<&str>,
    ) -> Result<Response, Problem> {
        if self.settings.receivers.is_empty() {
            return Err(no_receiver());
        }
        let only = receiver.map(|name| self.receiver(name)).transpose()?;
        let page = match recovery {
            Recovery::Parked => self.parked(next).await,
            Recovery::Since(since) => self.changed(*since, next).await,
        };
        let Page { mut items, next } = page.map_err(unless_cursor)?;
        items.retain(|(_, target, _)| only.is_none_or(|only| only.target == *target));
        let recovered = items.len();
        let again = items.into_iter().map(async |(id, target, from)| {
            redeliver(&*self.settings.outbox, &*self.clock, id, target, from).await.map(|_| ())
        });
        let mut again = stream::iter(again).buffer_unordered(CONCURRENT);
        while let Some(done) = again.next().await {
            done.map_err(store_problem)?;
        }
        let since = match recovery {
            Recovery::Parked => None,
            Recovery::Since(since) => Some(display(since)),
        };
        info!(
            recovered,
            since, receiver, "scheduled events of many subscriptions to be sent again"
        );
        let next = next.as_deref().map(cursor::encode);
        let answer = json!({ "recovered": recovered, "next": next });
        Ok(json_response(StatusCode::ACCEPTED, &answer))
    }

    async fn standing(
        &self,
        id: SubscriptionId,
        states: &BTreeMap<Target, ReceiverState>,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut deliveries = Vec::new();
        for receiver in &self.settings.receivers {
            let receiver = receiver.with(states);
            let cursor = self.settings.outbox.cursor(id, receiver.target()).await?;
            let cursor = receiver.own(&cursor);
            let first = self.first_for(receiver, id, cursor.delivered).await?;
            deliveries.push(delivery(id, receiver.target(), &cursor, first.as_ref()));
        }
        Ok(deliveries)
    }

    /// The first event after a position that the receiver takes.
    async fn first_for(
        &self,
        receiver: CurrentReceiver<'_>,
        id: SubscriptionId,
        mut after: Position,
    ) -> Result<Option<Event>, StoreError> {
        loop {
            let Backlog { events, more } = self.settings.outbox.backlog(id, after).await?;
            let Some(last) = events.last().map(Event::position) else { return Ok(None) };
            after = last;
            match events.into_iter().find(|event| receiver.takes(event)) {
                None if more => {}
                found => return Ok(found),
            }
        }
    }

    /// What the table knows about the receivers.
    pub(crate) async fn states(&self) -> Result<BTreeMap<Target, ReceiverState>, Problem> {
        self.settings.receiver_states.receivers().await.map_err(store_problem)
    }

    /// Subscriptions with entries of this state, each once on a page.
    async fn open(
        &self,
        state: DeliveryState,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        let outbox = &self.settings.outbox;
        let page = match state {
            DeliveryState::Parked => {
                let Page { items, next } = outbox.parked(next).await?;
                Page { items: items.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), next }
            }
            DeliveryState::Waiting | DeliveryState::UpToDate => {
                let by = self.clock.now() + LONGEST_PAUSE;
                let Page { items, next } = outbox.due(by, next).await?;
                Page { items: items.iter().map(Due::subscription).collect(), next }
            }
        };
        let mut seen = std::collections::HashSet::new();
        let items = page.items.into_iter().filter(|id| seen.insert(*id)).collect();
        Ok(Page { items, next: page.next })
    }

    async fn parked(
        &self,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target, From)>, StoreError> {
        let Page { items, next } = self.settings.outbox.parked(next).await?;
        // Nobody sends to a receiver that is no longer configured.
        let targets = self.settings.targets();
        let items = items.into_iter().filter(|(_, target)| targets.contains(target));
        let items = items.map(|(id, target)| (id, target, From::WhereItStopped)).collect();
        Ok(Page { items, next })
    }

    /// The subscriptions that have changed since then, the last change first.
    async fn changed(
        &self,
        since: Timestamp,
        next: Option<&str>,
    ) -> Result<Page<(SubscriptionId, Target, From)>, StoreError> {
        let query = ListQuery { limit: RECOVERED, ..ListQuery::by(ListBy::Sort(Sort::LastChange)) };
        let Page { items, next } = self.store.list(&query, next).await?;
        let is_last = items.iter().any(|record| record.updated_at < since);
        let changed = items.into_iter().filter(|record| record.updated_at >= since);
        let firsts = changed.map(async |record| {
            Ok::<_, StoreError>((record.id(), self.first_since(record.id(), since).await?))
        });
        let firsts = stream::iter(firsts).buffered(CONCURRENT);
        let firsts: Vec<_> = firsts.try_collect().await?;
        let items = firsts.into_iter().filter_map(|(id, first)| Some((id, From::Event(first?))));
        let targets = self.settings.targets();
        let items = items.flat_map(|(id, from)| targets.iter().map(move |it| (id, *it, from)));
        Ok(Page { items: items.collect(), next: next.filter(|_| !is_last) })
    }

    /// The first event that was recorded at that time or later.
    async fn first_since(
        &self,
        id: SubscriptionId,
        since: Timestamp,
    ) -> Result<Option<Position>, StoreError> {
        let mut after = 0;
        loop {
            let page = self.store.events(id, after).await?;
            let found = page.items.iter().find(|event| event.recorded_at >= since);
            if let Some(event) = found {
                return Ok(Some(event.position()));
            }
            match page.items.last() {
                Some(last) if page.next.is_some() => after = last.version,
                Some(_) | None => return Ok(None),
            }
        }
    }
}

fn unless_cursor(error: StoreError) -> Problem {
    match error {
        StoreError::BadPosition => cursor::not_a_cursor(),
        error => store_problem(error),
    }
}

/// `first` is the first event after the ones that were delivered.
fn delivery(
    id: SubscriptionId,
    target: Target,
    cursor: &Cursor,
    first: Option<&Event>,
) -> Delivery {
    let (state, trouble, next_attempt_at) = match (&cursor.state, first) {
        (_, None) => (DeliveryState::UpToDate, None, None),
        (CursorState::Flowing, Some(_)) => (DeliveryState::Waiting, None, None),
        (CursorState::Due { at, trouble }, Some(_)) => {
            (DeliveryState::Waiting, trouble.as_ref(), Some(*at))
        }
        (CursorState::Parked { trouble, .. }, Some(_)) => {
            (DeliveryState::Parked, Some(trouble), None)
        }
    };
    Delivery {
        subscription_id: id,
        receiver: target,
        state,
        delivered_version: cursor.delivered.version,
        waiting_since: first.map(|event| event.recorded_at),
        attempts: trouble.map_or(0, |trouble| trouble.attempts),
        last_error: trouble.map(|Trouble { last, .. }| last.clone()),
        next_attempt_at,
    }
}
