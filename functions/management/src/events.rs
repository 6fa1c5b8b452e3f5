//! Lists a subscription's events, and sends them again.
//!
//! The list has two forms: the events as recorded, for people, and a batch in the form in which
//! they are delivered, for a product that was away and catches up. CloudEvents 1.0 defines the
//! batch's media type, `application/cloudevents-batch+json`.

use http::header::{ACCEPT, CONTENT_TYPE, LINK, VARY};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::domain::{Position, SubscriptionId};
use shared::flows::redelivery::{From, redeliver};
use shared::host::http::{Problem, Request, Response, json as json_response};
use shared::publisher::audit::{Shown, read_personal_data};
use shared::publisher::cloud_event::CloudEvent;
use tracing::info;

use crate::Management;
use crate::error_code::ErrorCode;
use crate::problem::{no_receiver, store_problem};
use crate::route;

/// The media type of a batch.
pub(crate) const BATCH: &str = "application/cloudevents-batch+json";

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
        let shown = Shown::Events(id, page.items.len());
        read_personal_data(request, route::form(request), shown);
        let mut response = if wants_batch(request) {
            let annotations = self.annotations(id).await?;
            let sent = |event| {
                CloudEvent::new(event, &self.settings.source).with_annotations(annotations.as_ref())
            };
            let events: Vec<_> = page.items.iter().map(sent).collect();
            let mut response = json_response(StatusCode::OK, &events);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(BATCH));
            response
        } else {
            json_response(StatusCode::OK, &json!({ "events": page.items, "next": page.next }))
        };
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept"));
        if let Some(next) = page.next {
            let link = format!("</subscriptions/{id}/events?after={next}>; rel=\"next\"");
            headers.extend(HeaderValue::try_from(link).ok().map(|link| (LINK, link)));
        }
        Ok(response)
    }

    /// Makes events due again. The delivery's next sweep sends them.
    pub(crate) async fn redeliver(
        &self,
        id: SubscriptionId,
        from_version: Option<u64>,
    ) -> Result<Response, Problem> {
        let record = self.record(id).await?;
        if from_version.is_some_and(|version| version > record.version) {
            return Err(ErrorCode::UnknownVersion
                .with(format!("the record is only at version {}", record.version)));
        }
        if self.settings.receivers.is_empty() {
            return Err(no_receiver());
        }
        let from = match from_version {
            Some(version) => From::Event(Position { version, index: 0 }),
            None => From::WhereItStopped,
        };
        info!(subscription.id = %id, from_version, "scheduled events to be sent again");
        let targets = self.settings.targets();
        for target in &targets {
            redeliver(&*self.settings.outbox, &*self.clock, id, *target, from)
                .await
                .map_err(store_problem)?;
        }
        Ok(json_response(
            StatusCode::ACCEPTED,
            &json!({ "targets": targets, "fromVersion": from_version }),
        ))
    }
}

/// Whether the caller names the batch's media type. A wildcard does not ask for it.
fn wants_batch(request: &Request) -> bool {
    let accepted =
        request.headers().get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(BATCH))
}
