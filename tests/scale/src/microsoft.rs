//! Microsoft's side: a token, the list page by page, and single subscriptions.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Method, Request, Response, StatusCode};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::customers::{Customers, Unreadable, wire};

/// Entries of a full page: real pages hold 85 to 100 (F-LST-4).
const PAGE: u64 = 85;

const SUBSCRIPTIONS: &str = "/api/saas/subscriptions";

/// What Microsoft does beside answering.
#[derive(Clone, Copy, Debug, Default)]
pub struct Troubles {
    /// One call in so many begins a series of 429s.
    pub throttled_one_in: Option<u32>,
    /// The page with the subscription of this number always fails.
    pub failing_place: Option<u64>,
}

pub struct Microsoft {
    pub customers: Customers,
    pub troubles: Troubles,
    /// Calls by name.
    pub calls: BTreeMap<&'static str, u64>,
    rng: SmallRng,
    throttled: u32,
}

impl Microsoft {
    pub fn new(customers: Customers, troubles: Troubles) -> Self {
        let rng = SmallRng::seed_from_u64(customers.seed);
        Self { customers, troubles, calls: BTreeMap::new(), rng, throttled: 0 }
    }

    fn count(&mut self, name: &'static str) {
        *self.calls.entry(name).or_default() += 1;
    }

    /// Answers a call. The path names the API by its prefix.
    ///
    /// # Panics
    /// At a call that no reconciliation of these subscriptions makes.
    pub fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path();
        if path.ends_with("/oauth2/v2.0/token") {
            self.count("token");
            return ok(
                &json!({ "access_token": "a-token", "token_type": "Bearer", "expires_in": 3599 }),
            );
        }
        if self.is_throttled() {
            self.count("429");
            return throttled(self.rng.random_range(1..=5));
        }
        let Some(rest) = path.strip_prefix(SUBSCRIPTIONS) else {
            panic!("a call to {path}");
        };
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        match (request.method(), &*parts) {
            (&Method::GET, []) => self.list(request.uri().query().unwrap_or_default()),
            (&Method::GET, [id]) => {
                self.count("get");
                self.one(id.parse().expect("an id is a GUID"))
            }
            (&Method::GET, [_, "operations"]) => {
                self.count("operations");
                ok(&json!({ "operations": [] }))
            }
            (method, _) => panic!("a call {method} {path}"),
        }
    }

    fn is_throttled(&mut self) -> bool {
        if self.throttled == 0
            && let Some(one_in) = self.troubles.throttled_one_in
            && self.rng.random_ratio(1, one_in)
        {
            // The longest outlasts the attempts of one call.
            self.throttled = *[1, 1, 2, 3, 6].choose(&mut self.rng).expect("there are numbers");
        }
        let is_throttled = self.throttled > 0;
        self.throttled = self.throttled.saturating_sub(1);
        is_throttled
    }

    fn list(&mut self, query: &str) -> Response<Bytes> {
        self.count("list");
        let token = query.split('&').find_map(|pair| pair.strip_prefix("continuationToken="));
        let from = token.map_or(0, |token| token.parse().expect("a token of ours"));
        let next = (from + self.page_length(from)).min(self.customers.count);
        if self.troubles.failing_place.is_some_and(|place| (from..next).contains(&place)) {
            self.count("failed page");
            return failed();
        }
        let entries: Vec<Value> = (from..next).map(|number| self.entry(number)).collect();
        let mut page = json!({ "subscriptions": entries });
        if next < self.customers.count {
            // The host is another one (F-GEN-8).
            let link = format!("https://elsewhere.example{SUBSCRIPTIONS}?continuationToken={next}");
            page["@nextLink"] = json!(link);
        }
        ok(&page)
    }

    /// Some pages are shorter than others (F-LST-4).
    fn page_length(&self, from: u64) -> u64 {
        PAGE - (from * 7 + 3) % 20
    }

    fn entry(&self, number: u64) -> Value {
        let id = self.customers.id(number);
        match self.customers.unreadable(number) {
            Some(Unreadable::NoObject) => json!("maintenance"),
            Some(Unreadable::NoFields) => json!({ "id": id }),
            None => wire(id, &self.customers.now(number).0, self.customers.created(number)),
        }
    }

    fn one(&self, id: Uuid) -> Response<Bytes> {
        match self.customers.number(id) {
            Some(number) => ok(&self.entry(number)),
            None => error(StatusCode::NOT_FOUND, "SubscriptionNotFound"),
        }
    }

    /// The numbers of the subscriptions that a walk through the list reaches.
    pub fn listed(&self) -> u64 {
        let Some(place) = self.troubles.failing_place else { return self.customers.count };
        let mut from = 0;
        while from + self.page_length(from) <= place {
            from += self.page_length(from);
        }
        from
    }
}

fn ok(body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    let json = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
    answer
}

fn error(status: StatusCode, code: &str) -> Response<Bytes> {
    let mut answer = ok(&json!({ "error": { "code": code, "message": "See the code." } }));
    *answer.status_mut() = status;
    answer
}

fn failed() -> Response<Bytes> {
    error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
}

fn throttled(seconds: u32) -> Response<Bytes> {
    let mut answer = error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests");
    answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    answer
}
