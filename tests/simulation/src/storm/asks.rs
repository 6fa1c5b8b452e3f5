//! The publisher asks for changes and cancellations, with and without an idempotency key and
//! `If-Match`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::IF_MATCH;
use http::{Method, Request};
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::json;
use shared::domain::SubscriptionId;
use shared::flows::request_change::ChangeRequest;
use uuid::Uuid;

use crate::io::Ask;
use crate::run::{Purpose, Run};

/// The keys of a run, each with its own request.
const KEYS: usize = 4;

impl Run {
    pub(super) fn publisher_changes(&mut self) {
        let Some(id) = self.any() else { return };
        let wanted = self.io.decide(|rng| {
            if rng.random() {
                ChangeRequest::Seats(rng.random_range(1..=60))
            } else {
                plan(["silver", "gold", "basic", "team"].choose(rng).expect("there are plans"))
            }
        });
        self.ask_sometimes_for_a_version(id, wanted, None);
    }

    pub(super) fn publisher_cancels(&mut self) {
        if let Some(id) = self.any() {
            self.ask_sometimes_for_a_version(id, ChangeRequest::Cancel, None);
        }
    }

    /// The publisher's staff declines a purchase.
    pub(super) fn publisher_declines(&mut self, id: Uuid) {
        let (wanted, declines) = (ChangeRequest::Cancel, Some("We don't know you"));
        self.ask(Ask { id, wanted, declines, key: None, if_match: None });
    }

    /// One of four requests, which a run sends many times. The idempotency key marks the
    /// repetitions. Now and then the key comes with another request: for another subscription, with
    /// another value, or of another route.
    pub(super) fn publisher_repeats_change(&mut self) {
        // Without an answer, the caller repeats the request at once.
        if let Some(last) = self.io.last_keyed()
            && self.io.decide(|rng| rng.random_ratio(1, 3))
        {
            return self.ask((*last).clone());
        }
        let ids: Vec<Uuid> =
            self.io.world(|world| world.subscriptions().map(|state| state.id).collect());
        let requests =
            [ChangeRequest::Seats(7), plan("gold"), ChangeRequest::Seats(8), plan("team")];
        let (number, place, wanted) = self.io.decide(|rng| {
            let number = rng.random_range(0..KEYS);
            let others = [ChangeRequest::Cancel, ChangeRequest::Seats(9), requests[number].clone()];
            match rng.random_range(0..16) {
                0..11 => (number, number, requests[number].clone()),
                11..14 => (number, number + 1, requests[number].clone()),
                14 => (number, number, others.choose(rng).expect("there are some").clone()),
                _ => (number, number, ChangeRequest::Cancel),
            }
        });
        if ids.is_empty() {
            return;
        }
        let id = ids[place % ids.len()];
        self.ask_sometimes_for_a_version(id, wanted, Some(format!("change-{number}")));
    }

    fn ask_sometimes_for_a_version(
        &mut self,
        id: Uuid,
        wanted: ChangeRequest,
        key: Option<String>,
    ) {
        let version = self.table.record(SubscriptionId(id)).map_or(0, |record| record.version);
        let if_match = self.io.decide(|rng| {
            let quoted = |versions: &[u64]| {
                let tags: Vec<_> =
                    versions.iter().map(|version| format!("\"{version}\"")).collect();
                Some((tags.join(", "), versions.to_vec()))
            };
            match rng.random_range(0..12) {
                0..3 => quoted(&[version]),
                3 => quoted(&[version.saturating_sub(1)]),
                4 => quoted(&[rng.random_range(0..=version), version]),
                5 => quoted(&[version + 1]),
                6 => Some((format!("W/\"{version}\""), Vec::new())),
                7 => Some(("*".to_owned(), Vec::new())),
                _ => None,
            }
        });
        self.ask(Ask { id, wanted, declines: None, key, if_match });
    }

    /// Sends the request.
    pub(crate) fn ask(&mut self, ask: Ask) {
        let (method, body) = match &ask.wanted {
            ChangeRequest::Cancel if ask.declines.is_some() => {
                (Method::POST, json!({ "reason": ask.declines }).to_string())
            }
            ChangeRequest::Plan(plan) => (Method::PATCH, json!({ "planId": plan }).to_string()),
            ChangeRequest::Seats(seats) => {
                (Method::PATCH, json!({ "quantity": seats }).to_string())
            }
            ChangeRequest::Cancel => (Method::DELETE, String::new()),
        };
        self.io.note(|| format!("* the publisher: {ask:?}"));
        let place = if ask.declines.is_some() { "/decline" } else { "" };
        let uri = format!("/subscriptions/{}{place}", ask.id);
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(key) = &ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some((tags, _)) = &ask.if_match {
            request = request.header(IF_MATCH, tags);
        }
        let request = request.body(Bytes::from(body)).expect("a GUID is a path");
        self.start(Purpose::Ask(Arc::new(ask)), request);
    }
}

fn plan(id: &str) -> ChangeRequest {
    ChangeRequest::Plan(id.to_owned())
}
