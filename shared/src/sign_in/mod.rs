//! Signs people in with Entra, and recognises them on later requests: buyers on the landing page, and the
//! publisher's staff on the console.
//!
//! The server keeps no session. Two cookies do: one for the round trip to Entra, and one for the
//! session after it. Both are encrypted with a key derived from the application's secret. What a page
//! carries through the round trip and keeps in its session is its own matter.

mod cookie;
mod entra;
mod error;
mod return_path;
mod round_trip;
mod seal;
mod secret_cache;
mod session;
mod site;
mod staff;
mod token_answer;

use std::sync::Arc;

use http::HeaderMap;
use http::header::ORIGIN;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::host::clock::Clock;
use crate::host::http::{Request, Response, form_field, see_other};
use crate::host::origin::Origin;
use crate::host::retry::RetryPolicy;
use crate::microsoft::entra::{IdTokenVerifier, InvalidToken, Person, UnverifiedToken, WebApp};
use crate::store::{KnownRefusals, Refused};
use cookie::Cookies;
use entra::Entra;
use round_trip::ROUND_TRIP_TIME;
use seal::{CookieKeys, CookieKind};
use secret_cache::SecretCache;

pub use cookie::CookieNames;
pub use entra::Prompt;
pub use error::{SignInError, Unavailable, Untrusted};
pub use return_path::ReturnPath;
pub use round_trip::RoundTrip;
pub use seal::{constant_time_eq, random_text};
pub use session::{SESSION_TIME, Session, Visitor};
pub use site::Site;
pub use staff::{NotStaff, REDIRECT_PATH, Staff, StaffRole, StaffSignIn, StaffSignInAt};

/// In characters. Longer names are truncated, because they would not fit into a cookie.
const LONGEST_NAME: usize = 80;

/// A page's sign-in, at any origin.
pub struct SignInApp {
    entra: Entra,
    verifier: IdTokenVerifier,
    secret: SecretCache,
    refusals: KnownRefusals,
    clock: Arc<dyn Clock>,
    site: &'static Site,
}

/// The sign-in of one visit.
pub struct SignIn<'a> {
    app: &'a SignInApp,
    /// Where the visitor sees the page, and where Entra sends the visitor back to.
    origin: Origin,
    cookies: Cookies,
}

impl SignInApp {
    pub fn new(
        app: WebApp,
        site: &'static Site,
        refusals: KnownRefusals,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let verifier = IdTokenVerifier::new(
            app.transport.clone(),
            app.authority.clone(),
            app.client_id,
            RetryPolicy::INTERACTIVE,
            clock.clone(),
        );
        let verifier = match app.tenant_id {
            Some(tenant) => verifier.of_tenant(tenant),
            None => verifier,
        };
        Self {
            verifier,
            secret: SecretCache::new(&app, site, clock.clone()),
            entra: Entra::new(app, site),
            refusals,
            clock,
            site,
        }
    }

    pub fn at(&self, origin: Origin) -> SignIn<'_> {
        let cookies = Cookies { names: self.site.cookies, secure: origin.is_https() };
        SignIn { app: self, cookies, origin }
    }
}

impl SignIn<'_> {
    async fn key(&self) -> Result<CookieKeys, SignInError> {
        let (_, key) = self.app.secret.read(&self.origin).await?;
        Ok(key)
    }

    /// Redirects the visitor to Entra, and ends the session of an earlier sign-in. `carried` comes back
    /// with the visitor.
    pub async fn begin<C: Serialize>(
        &self,
        carried: C,
        prompt: Prompt,
        sent: &HeaderMap,
    ) -> Result<Response, SignInError> {
        let key = self.key().await?;
        let request = self.app.entra.authorization_request(&self.origin, prompt);
        let round_trip = RoundTrip {
            state: request.state,
            nonce: request.nonce,
            verifier: request.pkce_verifier,
            carried,
            tenant: self.app.entra.tenant(prompt),
            expires: self.app.clock.now() + ROUND_TRIP_TIME,
        };
        let sealed = key.seal(CookieKind::RoundTrip, &round_trip).ok_or(SignInError::TooLong)?;
        let mut response = see_other(request.url.as_str());
        let headers = response.headers_mut();
        let set = self.cookies.set(headers, CookieKind::RoundTrip, &sealed, ROUND_TRIP_TIME);
        set.ok_or(SignInError::TooLong)?;
        self.cookies.clear(headers, CookieKind::Session, sent);
        Ok(response)
    }

    /// Handles Entra's redirect back to us: checks it against the round trip's cookie, exchanges
    /// the code for an id token, verifies that, and begins a session.
    ///
    /// `session` makes the session of the person, of what the visitor came with and of the session's end.
    /// It names the local path to go on to.
    pub async fn finish<C, S, E>(
        &self,
        request: &Request,
        session: impl FnOnce(Person, C, Timestamp) -> Result<(S, String), E> + Send,
    ) -> Result<Response, E>
    where
        C: DeserializeOwned + Send,
        S: Session,
        E: From<SignInError>,
    {
        let now = self.app.clock.now();
        let (key, person, carried) = self.answered(request, now).await?;
        let (session, to) = session(person, carried, now + SESSION_TIME)?;
        let sealed = key.seal(CookieKind::Session, &session).ok_or(SignInError::TooLong)?;
        let mut response = see_other(&to);
        let headers = response.headers_mut();
        let lifetime = self.app.site.cookie_lifetime;
        let set = self.cookies.set(headers, CookieKind::Session, &sealed, lifetime);
        set.ok_or(SignInError::TooLong)?;
        self.cookies.clear(headers, CookieKind::RoundTrip, request.headers());
        Ok(response)
    }

    /// The person whom Entra's redirect proves, and what the visitor came with.
    async fn answered<C: DeserializeOwned>(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<(CookieKeys, Person, C), SignInError> {
        let SignInApp { entra, verifier, secret, refusals, clock, .. } = self.app;
        let (credential, key) = secret.read(&self.origin).await?;
        let sealed = self.cookies.get(request.headers(), CookieKind::RoundTrip);
        let round_trip: RoundTrip<C> = sealed
            .and_then(|sealed| key.open(CookieKind::RoundTrip, &sealed))
            .ok_or(Untrusted::NoRoundTrip)?;
        if round_trip.expires <= now {
            return Err(Untrusted::RoundTripExpired.into());
        }
        let query = request.uri().query().unwrap_or_default();
        let is_state = |state: String| constant_time_eq(&state, &round_trip.state);
        if !form_field(query, "state").is_some_and(is_state) {
            return Err(Untrusted::OtherState.into());
        }
        if let Some(error) = form_field(query, "error") {
            return Err(match error.as_str() {
                "access_denied" => SignInError::Declined,
                _ => Untrusted::ErrorFromEntra.into(),
            });
        }
        let code = form_field(query, "code").ok_or(Untrusted::NoCode)?;
        // A code that Entra refuses stays refused.
        let known = Refused::sign_in_code(&round_trip.state, &code);
        if refusals.contain(&known).await {
            return Err(Untrusted::BadCode.into());
        }
        let tenant = round_trip.tenant;
        let proof = entra.proof(&credential, tenant, &**clock).await?;
        let exchange = entra.exchange_code(&self.origin, tenant, &proof, code, round_trip.verifier);
        let id_token = match exchange.await {
            Err(SignInError::Untrusted(Untrusted::BadCode)) => {
                refusals.remember(&known).await;
                return Err(Untrusted::BadCode.into());
            }
            id_token => id_token?,
        };
        let is_nonce = |nonce: &str| constant_time_eq(nonce, &round_trip.nonce);
        let person = verifier.verify(UnverifiedToken(&id_token), is_nonce).await?;
        // The verifier has checked that the token's own tenant issued it.
        if tenant.is_some_and(|tenant| tenant != person.account.tenant_id) {
            return Err(Untrusted::Token(InvalidToken::OtherTenant).into());
        }
        Ok((key, truncate_names(person), round_trip.carried))
    }

    /// Redirects to `to`, and makes the browser forget the session and any sign-in under way.
    pub fn end(&self, to: &str, sent: &HeaderMap) -> Response {
        let mut response = see_other(to);
        for kind in [CookieKind::Session, CookieKind::RoundTrip] {
            self.cookies.clear(response.headers_mut(), kind, sent);
        }
        response
    }

    /// Where a person ends the session at Entra itself, which signs in again without a question as
    /// long as it lasts.
    pub fn sign_out_address(&self) -> Url {
        self.app.entra.sign_out_address()
    }

    /// Whether the browser sends a cookie of ours. It got it at the host that it shows.
    pub fn has_cookie(&self, headers: &HeaderMap) -> bool {
        [CookieKind::Session, CookieKind::RoundTrip]
            .into_iter()
            .any(|kind| self.cookies.get(headers, kind).is_some())
    }

    pub async fn visitor<S: Session>(
        &self,
        headers: &HeaderMap,
    ) -> Result<Visitor<S>, SignInError> {
        let opened: Option<S> = self.opened(headers, CookieKind::Session).await?;
        Ok(match opened {
            Some(session) if session.expires() > self.app.clock.now() => Visitor::SignedIn(session),
            Some(session) => Visitor::SignedOut(session),
            None => Visitor::Unknown,
        })
    }

    /// What the visitor of the round trip in the cookies came with, also if the sign-in took too long.
    pub async fn carried<C: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<C>, SignInError> {
        let opened: Option<RoundTrip<C>> = self.opened(headers, CookieKind::RoundTrip).await?;
        let lifetime =
            SignedDuration::try_from(self.app.site.cookie_lifetime).expect("a day at most");
        let now = self.app.clock.now();
        let kept = opened.filter(|trip| now.duration_since(trip.expires) < lifetime);
        Ok(kept.map(|trip| trip.carried))
    }

    async fn opened<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        kind: CookieKind,
    ) -> Result<Option<T>, SignInError> {
        let sealed = self.cookies.get(headers, kind);
        let Some(sealed) = sealed.filter(|sealed| !sealed.is_empty()) else { return Ok(None) };
        Ok(self.key().await?.open(kind, &sealed))
    }

    /// Whether a form comes from the page's own origin, as far as the browser says.
    ///
    /// Our pages send no referrer, so browsers send the origin `null` with their forms. For those
    /// the CSRF token alone decides.
    pub fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        let all_match = |name: &str, matches: &dyn Fn(&[u8]) -> bool| {
            headers.get_all(name).iter().all(|value| matches(value.as_bytes()))
        };
        all_match("sec-fetch-site", &|site| site == b"same-origin")
            && all_match(ORIGIN.as_str(), &|origin| {
                origin == b"null" || origin == self.origin.as_str().as_bytes()
            })
    }
}

fn truncate_names(mut person: Person) -> Person {
    for text in [&mut person.name, &mut person.username].into_iter().flatten() {
        if let Some((end, _)) = text.char_indices().nth(LONGEST_NAME) {
            text.truncate(end);
        }
    }
    person
}
