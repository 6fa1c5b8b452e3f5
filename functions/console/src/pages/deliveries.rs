//! The receivers of events, and what they have not accepted.

use std::collections::HashMap;

use askama::Template;
use http::StatusCode;
use shared::domain::SubscriptionId;
use shared::host::http::Response;
use url::form_urlencoded;

use super::{Pages, shown};
use crate::act::Act;
use crate::answers::{Deliveries, Delivery, Receiver, Receivers, Records};
use crate::api::Refusal;
use crate::frame::Frame;
use crate::routes;
use crate::words::{ago, moment, name};

struct Line {
    address: String,
    name: String,
    receiver: String,
    since: String,
    failures: u32,
    error: String,
    next: String,
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage<'a> {
    frame: Frame<'a>,
    receivers: Result<Vec<Receiver>, Refusal>,
    parked: Result<Vec<Line>, Refusal>,
    waiting: Result<Vec<Line>, Refusal>,
    /// The address of the next page of what waits.
    next: Option<String>,
}

impl DeliveriesPage<'_> {
    /// The address of an act about one receiver.
    fn about(&self, receiver: &Receiver, act: Act) -> String {
        let encoded = form_urlencoded::Serializer::new(String::new())
            .append_pair("receiver", &receiver.name)
            .finish();
        format!("{}?{encoded}", routes::act(act, None))
    }

    fn act(&self, act: Act) -> String {
        routes::act(act, None)
    }

    fn filter(&self, receiver: &Receiver) -> String {
        let part = |names: &Option<Vec<String>>, all: &str| match names {
            Some(names) => names.join(", "),
            None => all.to_owned(),
        };
        let types = part(&receiver.event_types, "every type");
        format!("{types}; {}", part(&receiver.offers, "every offer"))
    }
}

impl Pages<'_> {
    pub(crate) async fn deliveries(self, next: Option<&str>) -> Response {
        let (caller, now) = (self.caller, self.frame.now);
        let waiting_path = match next {
            Some(next) => {
                let next = form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>();
                format!("/deliveries?state=waiting&next={next}")
            }
            None => "/deliveries?state=waiting".to_owned(),
        };
        let (receivers, parked, waiting, of_parked, of_waiting) = tokio::join!(
            caller.get::<Receivers>("/receivers"),
            caller.get::<Deliveries>("/deliveries?state=parked"),
            caller.get::<Deliveries>(&waiting_path),
            caller.get::<Records>("/subscriptions?delivery=parked"),
            caller.get::<Records>("/subscriptions?delivery=waiting"),
        );
        let names: HashMap<SubscriptionId, String> = [of_parked, of_waiting]
            .into_iter()
            .flatten()
            .flat_map(|found| found.subscriptions)
            .map(|record| (record.subscription.id, name(&record)))
            .collect();
        let line = |delivery: Delivery| Line {
            address: routes::subscription(delivery.subscription_id),
            name: match names.get(&delivery.subscription_id) {
                Some(name) => name.clone(),
                None => delivery.subscription_id.to_string(),
            },
            receiver: delivery.receiver,
            since: delivery.waiting_since.map(|since| ago(since, now)).unwrap_or_default(),
            failures: delivery.attempts,
            error: delivery.last_error.unwrap_or_default(),
            next: delivery.next_attempt_at.map(moment).unwrap_or_default(),
        };
        let lines = |found: Deliveries| found.deliveries.into_iter().map(line).collect();
        let next = waiting.as_ref().ok().and_then(|found| found.next.as_deref()).map(|next| {
            let next = form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>();
            format!("{}?next={next}", routes::DELIVERIES)
        });
        let page = DeliveriesPage {
            frame: self.frame,
            receivers: receivers.map(|found| found.receivers),
            parked: parked.map(lines),
            waiting: waiting.map(lines),
            next,
        };
        shown(StatusCode::OK, &page)
    }
}
