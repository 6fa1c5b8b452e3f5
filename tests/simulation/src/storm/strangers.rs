//! Strangers who call the webhook.

use emulator::{Forgery, TokenVersion};
use http::{HeaderMap, HeaderValue, header};
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::reached::words;
use crate::run::{Purpose, Run, webhook};

impl Run {
    /// A stranger calls the webhook with a forged token. The operation may exist.
    pub(super) fn forge(&mut self) {
        let Some(id) = self.any() else { return };
        if self.io.decide(|rng| rng.random()) {
            return self.edit(id);
        }
        let (forgery, version, action) = self.io.decide(|rng| {
            let version = if rng.random() { TokenVersion::V1 } else { TokenVersion::V2 };
            let actions = ["Unsubscribe", "Suspend", "Reinstate", "ChangePlan"];
            (
                *Forgery::ALL.choose(rng).expect("there are forgeries"),
                version,
                *actions.choose(rng).expect("there are actions"),
            )
        });
        let (token, operation) = self.io.world(|world| {
            let operation = world.operations(id).last().copied().unwrap_or_default();
            (world.entra().forge(forgery, version), operation)
        });
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::try_from(format!("Bearer {token}")) {
            headers.insert(header::AUTHORIZATION, value);
        }
        let body =
            json!({ "id": operation, "subscriptionId": id, "action": action, "planId": "gold" });
        self.io.count(format!("forgery: {}", words(forgery)));
        self.io.note(|| format!("* a stranger calls, with {forgery:?}"));
        self.start(Purpose::Forged, webhook(headers, body.to_string().into_bytes()));
    }

    /// A stranger calls the webhook with a stolen genuine token and an invented body.
    fn edit(&mut self, id: Uuid) {
        let (action, plan, seats, known) = self.io.decide(|rng| {
            let actions = [
                "ChangePlan",
                "ChangeQuantity",
                "Suspend",
                "Reinstate",
                "Unsubscribe",
                "Subscribe",
                "Renew",
            ];
            let plans = ["silver", "gold", "platinum", "basic", "team"];
            let action = *actions.choose(rng).expect("there are actions");
            (
                action,
                *plans.choose(rng).expect("there are plans"),
                rng.random_range(1..=60),
                rng.random_ratio(2, 3),
            )
        });
        let body = json!({ "action": action, "planId": plan, "quantity": seats });
        self.io.note(|| format!("* a stranger calls, with Microsoft's token: {body}"));
        if known {
            self.send_edited(id, &body)
        } else {
            self.send_with_stolen_token(id, Uuid::nil(), &body)
        }
    }

    /// The stranger names the subscription's newest operation.
    pub(crate) fn send_edited(&mut self, id: Uuid, body: &Value) {
        let operation = self.io.world(|world| world.operations(id).last().copied());
        self.send_with_stolen_token(id, operation.unwrap_or_default(), body);
    }

    fn send_with_stolen_token(&mut self, id: Uuid, operation: Uuid, body: &Value) {
        let token = self.io.world(|world| world.entra().webhook_token(TokenVersion::V1));
        let mut headers = HeaderMap::new();
        let value =
            HeaderValue::try_from(format!("Bearer {token}")).expect("a token is header text");
        headers.insert(header::AUTHORIZATION, value);
        let mut body = body.clone();
        body["id"] = json!(operation);
        body["subscriptionId"] = json!(id);
        self.start(Purpose::Edited, webhook(headers, body.to_string().into_bytes()));
    }
}
