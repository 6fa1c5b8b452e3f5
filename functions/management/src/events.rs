//! What happened to a subscription, and telling it again.
//!
//! A history is read in either of two forms. As recorded, for people and for whoever looks into
//! something; or, for a product that was away and catches up, as a batch of the very events that it
//! is sent: `application/cloudevents-batch+json`, as CloudEvents 1.0 defines it.

use http::header::{ACCEPT, CONTENT_TYPE, LINK, VARY};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::cloudevent::CloudEvent;
use shared::domain::{Position, SubscriptionId};
use shared::http::{Problem, Request, Response, json as answer};
use shared::redelivery::{From, redeliver};
use shared::store::Target;
use tracing::info;

use crate::code::Code;
use crate::{Management, store_problem};

/// The form in which events are sent.
pub const BATCH: &str = "application/cloudevents-batch+json";

impl Management {
    /// The events after a version, in order.
    pub(crate) async fn events(
        &self,
        id: SubscriptionId,
        after: u64,
        request: &Request,
    ) -> Result<Response, Problem> {
        let page = self.store.events(id, after).await.map_err(store_problem)?;
        if page.items.is_empty() {
            self.record(id).await?;
        }
        let mut response = if wants_batch(request) {
            let events: Vec<_> = page
                .items
                .iter()
                .map(|event| CloudEvent::new(event, &self.settings.source))
                .collect();
            let mut response = answer(StatusCode::OK, &events);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(BATCH));
            response
        } else {
            answer(StatusCode::OK, &json!({ "events": page.items, "next": page.next }))
        };
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept"));
        if let Some(next) = page.next {
            let link = format!("</subscriptions/{id}/events?after={next}>; rel=\"next\"");
            headers.extend(HeaderValue::try_from(link).ok().map(|link| (LINK, link)));
        }
        Ok(response)
    }

    /// Has the publisher's product told again, by the delivery's next sweep.
    pub(crate) async fn redeliver(
        &self,
        id: SubscriptionId,
        from_version: Option<u64>,
    ) -> Result<Response, Problem> {
        let record = self.record(id).await?;
        if from_version.is_some_and(|version| version > record.version) {
            return Err(Code::UnknownVersion
                .with(format!("the record has only come to version {}", record.version)));
        }
        if self.settings.targets.is_empty() {
            return Err(Code::NobodyToTell.with(
                "events are delivered to nobody: neither DELIVERY_ENDPOINT nor DELIVERY_EVENT_BUS is set",
            ));
        }
        let from = match from_version {
            Some(version) => From::Event(Position { version, index: 0 }),
            None => From::WhereItStopped,
        };
        info!(subscription.id = %id, ?from, "events are to be told again");
        for target in &self.settings.targets {
            redeliver(&*self.settings.outbox, &*self.system, id, *target, from)
                .await
                .map_err(store_problem)?;
        }
        let targets: Vec<_> = self.settings.targets.iter().copied().map(Target::name).collect();
        Ok(answer(
            StatusCode::ACCEPTED,
            &json!({ "targets": targets, "fromVersion": from_version }),
        ))
    }
}

/// Whether the form in which events are sent is asked for. It is named, or it is not meant.
fn wants_batch(request: &Request) -> bool {
    let accepted =
        request.headers().get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(BATCH))
}
