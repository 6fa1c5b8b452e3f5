//! Signs buyers in with Entra, and recognises them on later requests.
//!
//! The server keeps no session. Two cookies do: one for the round trip to Entra, and one for the
//! session after it. Both are encrypted with a key derived from the application's secret.

mod cookie;
mod entra;
mod error;
mod seal;
mod secret_cache;
mod session;
mod token_answer;

use std::sync::Arc;

use http::HeaderMap;
use http::header::ORIGIN;
use shared::config::{LandingApp, Origin};
use shared::host::clock::Clock;
use shared::host::http::{Request, Response};
use shared::host::retry::RetryPolicy;
use shared::microsoft::entra::{IdTokenVerifier, InvalidToken, UnverifiedToken};
use shared::microsoft::fulfillment::PurchaseToken;
use shared::store::Refused;

use url::Url;

use crate::form_field::form_field;
use crate::known_refusals::KnownRefusals;
use crate::redirect::see_other;
use crate::routes;
use cookie::Cookies;
use entra::Entra;
pub(crate) use entra::Prompt;
pub(crate) use error::SignInError;
use error::Untrusted;
use seal::{CookieKeys, CookieKind, constant_time_eq};
use secret_cache::SecretCache;
use session::{COOKIE_LIFETIME, ROUND_TRIP_TIME, RoundTrip};
pub(crate) use session::{Session, Visitor};

/// The sign-in at any origin.
pub(crate) struct SignInApp {
    entra: Entra,
    verifier: IdTokenVerifier,
    secret: SecretCache,
    refusals: KnownRefusals,
    clock: Arc<dyn Clock>,
}

/// The sign-in of one visit.
pub(crate) struct SignIn<'a> {
    app: &'a SignInApp,
    /// Where the visitor sees the page, and where Entra sends the visitor back to.
    origin: Origin,
    cookies: Cookies,
}

impl SignInApp {
    pub(crate) fn new(app: LandingApp, refusals: KnownRefusals, clock: Arc<dyn Clock>) -> Self {
        let verifier = IdTokenVerifier::new(
            app.transport.clone(),
            app.authority.clone(),
            app.client_id,
            RetryPolicy::INTERACTIVE,
            clock.clone(),
        );
        Self {
            verifier,
            secret: SecretCache::new(&app, clock.clone()),
            entra: Entra::new(app),
            refusals,
            clock,
        }
    }

    pub(crate) fn at(&self, origin: Origin) -> SignIn<'_> {
        SignIn { app: self, cookies: Cookies { secure: origin.is_https() }, origin }
    }
}

impl SignIn<'_> {
    async fn key(&self) -> Result<CookieKeys, SignInError> {
        let (_, key) = self.app.secret.read(&self.origin).await?;
        Ok(key)
    }

    /// Redirects the visitor to Entra, and ends the session of an earlier sign-in.
    pub(crate) async fn begin(
        &self,
        token: &PurchaseToken,
        prompt: Prompt,
        sent: &HeaderMap,
    ) -> Result<Response, SignInError> {
        let key = self.key().await?;
        let request = self.app.entra.authorization_request(&self.origin, prompt);
        let round_trip = RoundTrip {
            state: request.state,
            nonce: request.nonce,
            verifier: request.pkce_verifier,
            token: token.expose().to_owned(),
            tenant: prompt.tenant(),
            expires: self.app.clock.now() + ROUND_TRIP_TIME,
        };
        let sealed =
            key.seal(CookieKind::RoundTrip, &round_trip).ok_or(SignInError::TokenTooLong)?;
        let mut response = see_other(request.url.as_str());
        let headers = response.headers_mut();
        let set = self.cookies.set(headers, CookieKind::RoundTrip, &sealed, ROUND_TRIP_TIME);
        set.ok_or(SignInError::TokenTooLong)?;
        self.cookies.clear(headers, CookieKind::Session, sent);
        Ok(response)
    }

    /// Handles Entra's redirect back to us: checks it against the round trip's cookie, exchanges
    /// the code for an id token, verifies that, and begins a session.
    pub(crate) async fn finish(&self, request: &Request) -> Result<Response, SignInError> {
        let SignInApp { entra, verifier, secret, refusals, clock } = self.app;
        let (credential, key) = secret.read(&self.origin).await?;
        let now = clock.now();
        let sealed = self.cookies.get(request.headers(), CookieKind::RoundTrip);
        let round_trip: RoundTrip = sealed
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
        let session = Session::new(person, round_trip.token, now);
        let sealed = key.seal(CookieKind::Session, &session).ok_or(SignInError::TokenTooLong)?;
        let mut response = see_other(routes::PURCHASE);
        let headers = response.headers_mut();
        let set = self.cookies.set(headers, CookieKind::Session, &sealed, COOKIE_LIFETIME);
        set.ok_or(SignInError::TokenTooLong)?;
        self.cookies.clear(headers, CookieKind::RoundTrip, request.headers());
        Ok(response)
    }

    /// Redirects to `to`, and makes the browser forget the session and any sign-in under way.
    pub(crate) fn end(&self, to: &str, sent: &HeaderMap) -> Response {
        let mut response = see_other(to);
        for kind in [CookieKind::Session, CookieKind::RoundTrip] {
            self.cookies.clear(response.headers_mut(), kind, sent);
        }
        response
    }

    /// Where a person ends the session at Entra itself, which signs in again without a question as
    /// long as it lasts.
    pub(crate) fn sign_out_address(&self) -> Url {
        self.app.entra.sign_out_address()
    }

    /// Whether the browser sends a cookie of ours. It got it at the host that it shows.
    pub(crate) fn has_cookie(&self, headers: &HeaderMap) -> bool {
        [CookieKind::Session, CookieKind::RoundTrip]
            .into_iter()
            .any(|kind| self.cookies.get(headers, kind).is_some())
    }

    pub(crate) async fn visitor(&self, headers: &HeaderMap) -> Result<Visitor, SignInError> {
        let sealed = self.cookies.get(headers, CookieKind::Session);
        let Some(sealed) = sealed.filter(|sealed| !sealed.is_empty()) else {
            return Ok(Visitor::Unknown);
        };
        let key = self.key().await?;
        Ok(match key.open::<Session>(CookieKind::Session, &sealed) {
            Some(session) if session.is_current(self.app.clock.now()) => Visitor::SignedIn(session),
            Some(session) => Visitor::SignedOut(session),
            None => Visitor::Unknown,
        })
    }

    /// The purchase token in the cookies: of a session, of an expired one, or of a round trip.
    pub(crate) async fn purchase_token(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<PurchaseToken>, SignInError> {
        match self.visitor(headers).await? {
            Visitor::SignedIn(session) | Visitor::SignedOut(session) => {
                Ok(session.purchase_token())
            }
            Visitor::Unknown => {
                let Some(sealed) = self.cookies.get(headers, CookieKind::RoundTrip) else {
                    return Ok(None);
                };
                let key = self.key().await?;
                let opened: Option<RoundTrip> = key.open(CookieKind::RoundTrip, &sealed);
                Ok(opened.and_then(|round_trip| round_trip.purchase_token(self.app.clock.now())))
            }
        }
    }

    /// Whether a form comes from the landing page's own origin, as far as the browser says.
    ///
    /// Our pages send no referrer, so browsers send the origin `null` with their forms. For those
    /// the CSRF token alone decides.
    pub(crate) fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        let all_match = |name: &str, matches: &dyn Fn(&[u8]) -> bool| {
            headers.get_all(name).iter().all(|value| matches(value.as_bytes()))
        };
        all_match("sec-fetch-site", &|site| site == b"same-origin")
            && all_match(ORIGIN.as_str(), &|origin| {
                origin == b"null" || origin == self.origin.as_str().as_bytes()
            })
    }
}
