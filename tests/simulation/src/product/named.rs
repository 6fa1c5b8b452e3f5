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

/// A filter of the settings, one after the other.
struct Widened {
    filter: EventFilter,
    /// `None` as long as no delivery has noted it.
    noted: Option<Noted>,
}

/// When a delivery noted a filter.
struct Noted {
    /// By the delivery's clock.
    since: Timestamp,
    /// The last version of each subscription, whatever the clocks say.
    versions: BTreeMap<SubscriptionId, u64>,
}

impl Noted {
    fn is_before(&self, event: &Event) -> bool {
        self.is_before_version(event.subscription_id, event.version)
            && event.recorded_at >= self.since
    }

    fn is_before_version(&self, id: SubscriptionId, version: u64) -> bool {
        version > self.versions.get(&id).copied().unwrap_or(0)
    }
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
        let noted = Noted { since: Timestamp::MIN, versions: BTreeMap::new() };
        let widened = vec![Widened { filter, noted: Some(noted) }];
        let (health, inbox) = (Health::Healthy, Inbox::default());
        Self { settings, widened, health, inbox, is_configured: false }
    }

    /// Its filter takes everything from now on. `false` if it takes everything already.
    pub(crate) fn widen(&mut self) -> bool {
        let EventFilter { event_types, offers } = &mut self.settings.filter;
        let (had_offers, had_types) = (offers.take().is_some(), event_types.take().is_some());
        if !had_offers && !had_types {
            return false;
        }
        let filter = self.settings.filter.clone();
        self.widened.push(Widened { filter, noted: None });
        true
    }

    /// A delivery has noted these filters.
    pub(crate) fn noted(
        &mut self,
        filters: &[FilterInUse],
        versions: impl FnOnce() -> BTreeMap<SubscriptionId, u64>,
    ) {
        let mut unnoted = self.widened.iter_mut().filter(|it| it.noted.is_none());
        let Some(widened) = unnoted.next() else { return };
        if let Some(noted) = filters.iter().find(|it| it.filter == widened.filter) {
            widened.noted = Some(Noted { since: noted.since, versions: versions() });
        }
    }

    /// The filters that were in use when this event was recorded.
    pub(crate) fn filters_of(&self, event: &Event) -> impl Iterator<Item = EventFilter> {
        let is_later =
            move |it: &&Widened| it.noted.as_ref().is_some_and(|noted| noted.is_before(event));
        self.widened.iter().filter(is_later).map(|it| it.filter.clone())
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

    /// Whether an event was recorded before a delivery noted the filter that takes it, by a host whose clock
    /// was ahead. A later one may have been sent before.
    fn is_taken_by_its_clock_alone(&self, event: &Value) -> bool {
        let id = event["subject"].as_str().and_then(|id| id.parse().ok());
        let at = event["time"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let (Some(id), Some(at), Some(version)) = (id, at, event["data"]["version"].as_u64())
        else {
            return false;
        };
        let noted = self.widened.iter().filter_map(|it| it.noted.as_ref());
        let mut noted = noted.filter(|noted| noted.since <= at);
        noted.any(|noted| !noted.is_before_version(id, version))
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
            let received = match self.inbox.receive(&body) {
                Err(_) if self.is_taken_by_its_clock_alone(&body) => Ok(()),
                received => received,
            };
            received.map_err(|what| format!("{name}: {what}"))?;
        }
        Ok(answer)
    }
}
