//! Who the visitor is: to Entra and back, and the session after that.
//!
//! Nothing is kept here. What the way back must be held against, and afterwards who signed in,
//! travels in cookies sealed with a key that follows from the application's secret.

mod cookie;
mod entra;
mod error;
mod seal;

use std::sync::Arc;
use std::time::Duration;

use http::header::{LOCATION, ORIGIN};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::config::LandingApp;
use shared::host::clock::Clock;
use shared::host::http::{Request, Response, empty};
use shared::host::retry::RetryPolicy;
use shared::host::secret::ClientSecret;
use shared::microsoft::entra::{IdTokenVerifier, Person, UnverifiedToken};
use shared::microsoft::fulfillment::PurchaseToken;
use tokio::sync::Mutex;
use url::form_urlencoded;

use cookie::Cookies;
use entra::Entra;
pub(crate) use error::SignInError;
use error::{Unavailable, Untrusted};
pub(crate) use seal::constant_time_eq;
use seal::{Key, Kind, secret_text};

/// Where Entra sends the buyer back to.
pub(crate) const SIGNED_IN: &str = "/landing/signed-in";

/// Signs in again, with the purchase that is at hand.
pub(crate) const SIGN_IN: &str = "/landing/sign-in";

/// To pick an account, type a password and confirm on a phone. Longer, and a browser left behind
/// can be signed in that much later.
const ROUND_TRIP: Duration = Duration::from_mins(15);

/// How long somebody stays signed in. After that, the page asks Entra again, which mostly knows
/// them still.
const SESSION: Duration = Duration::from_hours(1);

/// How long the cookie of a session is kept: as long as a purchase token lives (F-RES-4), so that
/// whoever comes back after the session finds the purchase again by signing in.
const KEPT: Duration = Duration::from_hours(24);

/// How long the application's secret is used before it is read again: a rotated one is picked up.
const SECRET_AGE: SignedDuration = SignedDuration::from_mins(5);

/// Names longer than this are cut short; a cookie has no room for them.
const LONGEST_NAME: usize = 80;

/// What the way back from Entra is held against.
#[derive(Serialize, Deserialize)]
struct RoundTrip {
    state: String,
    nonce: String,
    verifier: String,
    token: String,
    expires: Timestamp,
}

/// Somebody who is signed in, with the purchase they came for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Session {
    /// Who.
    pub person: Person,
    token: String,
    /// In every form of this session, and in nobody else's.
    pub submit: String,
    expires: Timestamp,
}

impl Session {
    /// The purchase.
    pub(crate) fn token(&self) -> Option<PurchaseToken> {
        PurchaseToken::new(&self.token)
    }

    /// Whether a token in the address is the one this session is about.
    pub(crate) fn is_about(&self, token: &PurchaseToken) -> bool {
        constant_time_eq(&self.token, token.expose())
    }
}

/// What the visitor's cookie says.
pub(crate) enum Visitor {
    /// Somebody.
    SignedIn(Session),
    /// Somebody, too long ago.
    SignedOut(Session),
    /// Nobody.
    Unknown,
}

struct Cached {
    secret: SecretString,
    key: Arc<Key>,
    at: Timestamp,
}

/// Signs buyers in.
pub(crate) struct SignIn {
    entra: Entra,
    verifier: IdTokenVerifier,
    cookies: Cookies,
    origin: String,
    secret: ClientSecret,
    cached: Mutex<Option<Cached>>,
    clock: Arc<dyn Clock>,
}

impl SignIn {
    /// Sign-in with the landing page's own application.
    pub(crate) fn new(app: LandingApp, clock: Arc<dyn Clock>) -> Self {
        let verifier = IdTokenVerifier::new(
            app.transport.clone(),
            app.authority.clone(),
            app.client_id,
            RetryPolicy::INTERACTIVE,
            clock.clone(),
        );
        Self {
            verifier,
            cookies: Cookies { secure: app.base_url.starts_with("https://") },
            origin: app.base_url.clone(),
            secret: app.secret.clone(),
            cached: Mutex::default(),
            entra: Entra::new(app),
            clock,
        }
    }

    /// Sends the visitor to Entra. Whoever was signed in before no longer is.
    pub(crate) async fn begin(
        &self,
        token: &PurchaseToken,
        choose: bool,
        sent: &HeaderMap,
    ) -> Result<Response, SignInError> {
        let (_, key) = self.secret().await?;
        let departure = self.entra.depart(choose);
        let round_trip = RoundTrip {
            state: departure.state,
            nonce: departure.nonce,
            verifier: departure.verifier,
            token: token.expose().to_owned(),
            expires: self.clock.now() + ROUND_TRIP,
        };
        let sealed = key.seal(Kind::RoundTrip, &round_trip).ok_or(SignInError::TooLong)?;
        let mut response = see_other(departure.to.as_str());
        let headers = response.headers_mut();
        let set = self.cookies.set(headers, Kind::RoundTrip, &sealed, ROUND_TRIP);
        set.ok_or(SignInError::TooLong)?;
        self.cookies.forget(headers, Kind::Session, sent);
        Ok(response)
    }

    /// The visitor comes back from Entra.
    pub(crate) async fn finish(&self, request: &Request) -> Result<Response, SignInError> {
        let (secret, key) = self.secret().await?;
        let now = self.clock.now();
        let sealed = self.cookies.get(request.headers(), Kind::RoundTrip);
        let round_trip: RoundTrip = sealed
            .and_then(|sealed| key.open(Kind::RoundTrip, &sealed))
            .ok_or(Untrusted::NoRoundTrip)?;
        if round_trip.expires <= now {
            return Err(Untrusted::RoundTripExpired.into());
        }
        let query = request.uri().query().unwrap_or_default();
        if !value(query, "state").is_some_and(|state| constant_time_eq(&state, &round_trip.state)) {
            return Err(Untrusted::OtherState.into());
        }
        if let Some(refusal) = value(query, "error") {
            return Err(match refusal.as_str() {
                "access_denied" => SignInError::Declined,
                _ => Untrusted::ErrorFromEntra.into(),
            });
        }
        let code = value(query, "code").ok_or(Untrusted::NoCode)?;
        let id_token = self.entra.redeem(secret.expose_secret(), code, round_trip.verifier).await?;
        let is_nonce = |nonce: &str| constant_time_eq(nonce, &round_trip.nonce);
        let person = self.verifier.verify(UnverifiedToken(&id_token), is_nonce).await?;
        let session = Session {
            person: shortened(person),
            token: round_trip.token,
            submit: secret_text(),
            expires: now + SESSION,
        };
        let sealed = key.seal(Kind::Session, &session).ok_or(SignInError::TooLong)?;
        let mut response = see_other("/landing");
        let headers = response.headers_mut();
        let set = self.cookies.set(headers, Kind::Session, &sealed, KEPT);
        set.ok_or(SignInError::TooLong)?;
        self.cookies.forget(headers, Kind::RoundTrip, request.headers());
        Ok(response)
    }

    /// Who the visitor is.
    pub(crate) async fn visitor(&self, headers: &HeaderMap) -> Result<Visitor, SignInError> {
        let Some(sealed) = self.cookies.get(headers, Kind::Session).filter(|it| !it.is_empty())
        else {
            return Ok(Visitor::Unknown);
        };
        let (_, key) = self.secret().await?;
        Ok(match key.open::<Session>(Kind::Session, &sealed) {
            Some(session) if session.expires > self.clock.now() => Visitor::SignedIn(session),
            Some(session) => Visitor::SignedOut(session),
            None => Visitor::Unknown,
        })
    }

    /// The purchase at hand, whether its visitor has signed in, is about to, or was.
    pub(crate) async fn purchase(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<PurchaseToken>, SignInError> {
        match self.visitor(headers).await? {
            Visitor::SignedIn(session) | Visitor::SignedOut(session) => Ok(session.token()),
            Visitor::Unknown => {
                let Some(sealed) = self.cookies.get(headers, Kind::RoundTrip) else {
                    return Ok(None);
                };
                let (_, key) = self.secret().await?;
                let opened: Option<RoundTrip> = key.open(Kind::RoundTrip, &sealed);
                let at_hand = opened.filter(|round_trip| {
                    self.clock.now().duration_since(round_trip.expires)
                        < SignedDuration::try_from(KEPT).expect("a day")
                });
                Ok(at_hand.and_then(|round_trip| PurchaseToken::new(&round_trip.token)))
            }
        }
    }

    /// Whether a form comes from a page of ours, as far as the browser says.
    ///
    /// `null` is what browsers send from pages that send no referrer, as ours do; it says nothing,
    /// and the submit token alone decides.
    pub(crate) fn is_own_form(&self, headers: &HeaderMap) -> bool {
        let is = |name: &str, fits: &dyn Fn(&[u8]) -> bool| {
            headers.get_all(name).iter().all(|value| fits(value.as_bytes()))
        };
        is("sec-fetch-site", &|site| site == b"same-origin")
            && is(ORIGIN.as_str(), &|origin| origin == b"null" || origin == self.origin.as_bytes())
    }

    async fn secret(&self) -> Result<(SecretString, Arc<Key>), SignInError> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        if let Some(cached) = cached.as_ref().filter(|it| now.duration_since(it.at) < SECRET_AGE) {
            return Ok((cached.secret.clone(), cached.key.clone()));
        }
        let secret = self.secret.read().await.map_err(Unavailable::Secret)?;
        let key = Arc::new(Key::derive(secret.expose_secret()));
        *cached = Some(Cached { secret: secret.clone(), key: key.clone(), at: now });
        Ok((secret, key))
    }
}

/// A redirect. Never to a place that a visitor's request names.
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    let location = HeaderValue::try_from(location).expect("an encoded address is header text");
    response.headers_mut().insert(LOCATION, location);
    response
}

/// A field of a query or a form; `None` where it is absent, or stands twice.
pub(crate) fn value(form: &str, name: &str) -> Option<String> {
    let mut values = form_urlencoded::parse(form.as_bytes()).filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

fn shortened(mut person: Person) -> Person {
    for text in [&mut person.name, &mut person.username].into_iter().flatten() {
        if let Some((at, _)) = text.char_indices().nth(LONGEST_NAME) {
            text.truncate(at);
        }
    }
    person
}
