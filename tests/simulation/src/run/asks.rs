//! Checks of the management API's answers to changes: idempotency keys, and `If-Match`.

use bytes::Bytes;
use http::Response;
use serde_json::Value;
use shared::domain::SubscriptionId;

use super::Run;
use crate::io::Ask;
use crate::product::guid_at_the_end;

impl Run {
    /// A 202 names the operation that Microsoft made of this very request, a key that belongs to
    /// another request is refused, and `If-Match` refuses exactly the versions that it doesn't name.
    pub(super) fn check_ask_answer(&self, ask: &Ask, answer: &Response<Bytes>) {
        let status = answer.status().as_u16();
        if status == 202 {
            self.check_operation(ask, answer.body());
        }
        if answer.headers().contains_key("idempotency-replayed") {
            self.io.count("key: replayed");
        }
        let is_refused = status == 422 || status >= 500;
        let (key_is_taken, began_with) = self.io.deeds(|deeds| (deeds.key_is_taken, deeds.version));
        if key_is_taken && !is_refused {
            self.io.violate(format!(
                "{ask:?} was answered with {status}, but its key belongs to another request"
            ));
        }
        if status == 422 {
            self.io.count("key: refused for another request");
            if !self.io.key_was_shared(ask) {
                self.io.violate(format!(
                    "{ask:?} was refused as another request, and is the only one"
                ));
            }
        }
        let version = self.table.record(SubscriptionId(ask.id)).map(|record| record.version);
        if status == 412 {
            self.io.count("if-match: refused");
            if version == began_with && version.is_some_and(|version| ask.permits(version)) {
                self.io.violate(format!("{ask:?} was refused although the record has its version"));
            }
        } else if status == 202 && ask.if_match.is_some() {
            self.io.count("if-match: accepted");
        }
    }

    fn check_operation(&self, ask: &Ask, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(operation) = body["operationId"].as_str() else {
            if !body["operationId"].is_null() {
                self.io.violate(format!("{ask:?} was answered without an operation"));
            }
            return;
        };
        let accepted = guid_at_the_end(operation).and_then(|id| self.io.accepted(id));
        let made_of = accepted.and_then(|accepted| accepted.ask);
        if !made_of.is_some_and(|other| other.repeats(ask)) {
            self.io.violate(format!("{ask:?} was answered with another request's {operation}"));
        }
    }
}
