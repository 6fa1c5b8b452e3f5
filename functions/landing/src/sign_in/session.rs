//! What the landing page keeps in the two cookies: the purchase token, and after the sign-in the person.
//!
//! Browsers still hold cookies of earlier versions. Members are only added, and never renamed.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::host::http::form_field;
use shared::microsoft::entra::Person;
use shared::microsoft::fulfillment::PurchaseToken;
use shared::sign_in::{constant_time_eq, random_text};

/// How long browsers keep the session's cookie: as long as a purchase token is valid (F-RES-4), so
/// that a buyer who comes back after the session signs in and finds the purchase again.
pub(super) const COOKIE_LIFETIME: Duration = Duration::from_hours(24);

/// What the round trip carries.
#[derive(Serialize, Deserialize)]
pub(super) struct Carried {
    /// The purchase token.
    token: String,
}

impl Carried {
    pub(super) fn of(token: &PurchaseToken) -> Self {
        Self { token: token.expose().to_owned() }
    }

    pub(super) fn purchase_token(&self) -> Option<PurchaseToken> {
        PurchaseToken::new(&self.token)
    }
}

/// A person who signed in, with the purchase that they came for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) person: Person,
    /// The purchase token.
    token: String,
    /// Part of every form on this session's pages.
    #[serde(rename = "submit")]
    pub(crate) csrf_token: String,
    expires: Timestamp,
}

impl Session {
    pub(super) fn new(person: Person, carried: Carried, expires: Timestamp) -> Self {
        Self { person, token: carried.token, csrf_token: random_text(), expires }
    }

    pub(crate) fn purchase_token(&self) -> Option<PurchaseToken> {
        PurchaseToken::new(&self.token)
    }

    /// Whether this token opens the session's purchase.
    pub(crate) fn is_about(&self, token: &PurchaseToken) -> bool {
        constant_time_eq(&self.token, token.expose())
    }

    /// Whether the body of a form carries this session's CSRF token.
    pub(crate) fn owns_form(&self, form: &str) -> bool {
        form_field(form, "submit").is_some_and(|token| constant_time_eq(&token, &self.csrf_token))
    }
}

impl shared::sign_in::Session for Session {
    fn expires(&self) -> Timestamp {
        self.expires
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::sign_in::RoundTrip;

    use super::*;

    #[test]
    fn the_cookies_of_earlier_versions_can_be_read_and_keep_their_form() {
        let session = json!({
            "person": {
                "account": { "tenantId": "22222222-2222-2222-2222-222222222222" },
                "name": "Adele",
                "username": "adele@contoso.example",
            },
            "token": "a purchase token",
            "submit": "a CSRF token",
            "expires": "2026-03-01T10:00:00Z",
        });
        let read: Session = serde_json::from_value(session.clone()).expect("a session");
        assert!(read.owns_form("submit=a+CSRF+token") && !read.owns_form("submit=another"));
        assert_eq!(serde_json::to_value(read).expect("JSON"), session);
        for tenant in [None, Some("22222222-2222-2222-2222-222222222222")] {
            let mut round_trip = json!({
                "state": "a state",
                "nonce": "a nonce",
                "verifier": "a verifier",
                "token": "a purchase token",
                "expires": "2026-03-01T10:00:00Z",
            });
            if let Some(tenant) = tenant {
                round_trip["tenant"] = json!(tenant);
            }
            let read: RoundTrip<Carried> =
                serde_json::from_value(round_trip.clone()).expect("a round trip");
            assert_eq!(serde_json::to_value(read).expect("JSON"), round_trip);
        }
    }
}
