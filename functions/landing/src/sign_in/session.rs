//! The contents of the two cookies: the round trip to Entra, and the session after it.
//!
//! Browsers still hold cookies of earlier versions. Members are only added, and never renamed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::microsoft::entra::Person;
use shared::microsoft::fulfillment::PurchaseToken;
use uuid::Uuid;

use super::seal::{constant_time_eq, random_text};
use crate::form_field::form_field;

/// Time to pick an account, type a password and confirm on a phone. With a longer time, a sign-in
/// page that was left open can be completed that much later.
pub(super) const ROUND_TRIP_TIME: Duration = Duration::from_mins(15);

/// How long a session lasts. After that the page redirects to Entra, which usually still knows the
/// person and asks for nothing.
const SESSION_TIME: Duration = Duration::from_hours(1);

/// How long browsers keep the session's cookie: as long as a purchase token is valid (F-RES-4), so
/// that a buyer who comes back after the session signs in and finds the purchase again.
pub(super) const COOKIE_LIFETIME: Duration = Duration::from_hours(24);

/// In characters. Longer names are truncated, because they would not fit into a cookie.
const LONGEST_NAME: usize = 80;

/// Entra's answer is checked against these values.
#[derive(Serialize, Deserialize)]
pub(super) struct RoundTrip {
    pub(super) state: String,
    pub(super) nonce: String,
    /// For PKCE.
    pub(super) verifier: String,
    /// The purchase token.
    pub(super) token: String,
    /// The directory that alone may answer; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<Uuid>,
    pub(super) expires: Timestamp,
}

impl RoundTrip {
    /// The purchase token, also if the visitor took too long to sign in.
    pub(super) fn purchase_token(&self, now: Timestamp) -> Option<PurchaseToken> {
        let lifetime = SignedDuration::try_from(COOKIE_LIFETIME).expect("a day");
        let is_kept = now.duration_since(self.expires) < lifetime;
        is_kept.then(|| PurchaseToken::new(&self.token)).flatten()
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
    pub(super) fn new(person: Person, token: String, now: Timestamp) -> Self {
        Self {
            person: truncate_names(person),
            token,
            csrf_token: random_text(),
            expires: now + SESSION_TIME,
        }
    }

    pub(super) fn is_current(&self, now: Timestamp) -> bool {
        self.expires > now
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

/// The visitor, as the session's cookie says.
pub(crate) enum Visitor {
    SignedIn(Session),
    /// The session has expired.
    SignedOut(Session),
    /// There is no cookie that we can open.
    Unknown,
}

fn truncate_names(mut person: Person) -> Person {
    for text in [&mut person.name, &mut person.username].into_iter().flatten() {
        if let Some((end, _)) = text.char_indices().nth(LONGEST_NAME) {
            text.truncate(end);
        }
    }
    person
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        let round_trip = json!({
            "state": "a state",
            "nonce": "a nonce",
            "verifier": "a verifier",
            "token": "a purchase token",
            "expires": "2026-03-01T10:00:00Z",
        });
        let read: RoundTrip = serde_json::from_value(round_trip.clone()).expect("a round trip");
        assert_eq!(serde_json::to_value(read).expect("JSON"), round_trip);
    }
}
