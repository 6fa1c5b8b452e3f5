//! The product's endpoints with names of their own (`DELIVERY_ENDPOINTS`). The publisher adds and removes them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use jiff::Timestamp;
use serde_json::Value;
use shared::domain::{Event, SubscriptionId};
use shared::publisher::receiver::{EventFilter, ReceiverSettings};
use shared::store::{FilterInUse, Target};

use super::health::{EVENTS, Health};
use super::inbox::Inbox;
use super::signature::{self, Clocks, Key};

pub(crate) struct Named {
    pub(crate) settings: ReceiverSettings,
    /// Its filters, each taking more than the one before. The last one is that of the settings.
    widened: Vec<Widened>,
    pub(crate) health: Health,
    pub(crate) inbox: Inbox,
    /// Whether the publisher's settings name it.
    pub(crate) is_configured: bool,
}

/// A filter, and which events were there when a delivery noted it.
struct Widened {
    filter: EventFilter,
    /// The last version of each subscription; `None` as long as no delivery has noted it.
    noted_at: Option<BTreeMap<SubscriptionId, u64>>,
}

impl Named {
    /// One that takes every event, and one that takes a few types of one offer.
    pub(crate) fn all() -> Vec<Self> {
        let set = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
        let few = EventFilter {
            event_types: set(&[
                "saas-fulfillment.subscription.purchased.v1",
                "saas-fulfillment.subscription.plan-changed.v1",
                "saas-fulfillment.subscription.quantity-changed.v1",
                "saas-fulfillment.subscription.unsubscribed.v1",
            ]),
            offers: set(&["per-seat-1"]),
        };
        [("crm", EventFilter::default()), ("billing", few)].map(Self::new).into()
    }

    fn new((name, filter): (&str, EventFilter)) -> Self {
        let target = name.parse().expect("a name");
        let settings = ReceiverSettings { target, filter: filter.clone(), from: None };
        // It counts from the beginning.
        let widened = vec![Widened { filter, noted_at: Some(BTreeMap::new()) }];
        let (health, inbox) = (Health::Healthy, Inbox::default());
        Self { settings, widened, health, inbox, is_configured: false }
    }

    /// Its filter takes more from now on. `false` if it takes everything already.
    pub(crate) fn widen(&mut self) -> bool {
        let EventFilter { event_types, offers } = &mut self.settings.filter;
        // First the offers, then the types.
        if offers.take().is_none() && event_types.take().is_none() {
            return false;
        }
        let filter = self.settings.filter.clone();
        self.widened.push(Widened { filter, noted_at: None });
        true
    }

    /// A delivery has noted these filters.
    pub(crate) fn noted(
        &mut self,
        filters: &[FilterInUse],
        versions: impl FnOnce() -> BTreeMap<SubscriptionId, u64>,
    ) {
        let is_noted = |widened: &Widened| filters.iter().any(|it| it.filter == widened.filter);
        let mut unnoted = self.widened.iter_mut().filter(|it| it.noted_at.is_none());
        if let Some(widened) = unnoted.find(|widened| is_noted(widened)) {
            widened.noted_at = Some(versions());
        }
    }

    /// The filters that were in use when this event was recorded.
    pub(crate) fn filters_of(&self, event: &Event) -> impl Iterator<Item = EventFilter> {
        let is_later = move |widened: &&Widened| {
            let noted = widened.noted_at.as_ref();
            noted.is_some_and(|noted| {
                event.version > noted.get(&event.subscription_id).copied().unwrap_or(0)
            })
        };
        self.widened.iter().filter(is_later).map(|widened| widened.filter.clone())
    }

    pub(crate) fn target(&self) -> Target {
        self.settings.target
    }

    pub(crate) fn url(&self) -> Uri {
        format!("{EVENTS}/{}", self.target().name()).parse().expect("a name is a path")
    }

    /// The text of its key.
    pub(crate) fn secret(&self) -> String {
        let bytes = format!("{:-<32}", self.target().name());
        format!("whsec_{}", STANDARD.encode(bytes))
    }

    /// The publisher's settings name it from now on. It may ask for events from an earlier time on.
    pub(crate) fn add(&mut self, from: Option<Timestamp>) {
        self.is_configured = true;
        self.settings.from = from;
    }

    /// Answers a request. `Err`: the request should never have been sent.
    pub(super) fn call(
        &mut self,
        request: &Request<Bytes>,
        clocks: Clocks,
    ) -> Result<Response<Bytes>, String> {
        let target = self.target();
        let name = target.name();
        let key = Key::new(&self.secret()).expect("a key's text");
        let id = signature::verify(request, &[key], clocks)
            .map_err(|refusal| format!("{name} refuses an event: {refusal:?}"))?;
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|error| format!("{name} received a body that isn't JSON: {error}"))?;
        if body["id"] != id {
            return Err(format!("{name} received {} as {id}", body["id"]));
        }
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = match self.inbox.fails(&body) {
            true => StatusCode::INTERNAL_SERVER_ERROR,
            false => self.health.status(),
        };
        if answer.status().is_success() {
            let received = self.inbox.receive(&body);
            received.map_err(|what| format!("{name}: {what}"))?;
        }
        Ok(answer)
    }
}
