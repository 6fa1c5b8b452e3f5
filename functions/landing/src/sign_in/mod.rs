//! Signs buyers in with Entra. The purchase token that a buyer comes with survives the round trip, and the
//! session keeps it.

mod session;

use std::ops::Deref;
use std::sync::Arc;

use http::HeaderMap;
use shared::host::clock::Clock;
use shared::host::http::{Request, Response};
use shared::host::origin::Origin;
use shared::microsoft::entra::WebApp;
use shared::microsoft::fulfillment::PurchaseToken;
use shared::sign_in::{CookieNames, Site, Visitor};
use shared::store::KnownRefusals;

use crate::routes;
use session::{COOKIE_LIFETIME, Carried};

pub(crate) use session::Session;
pub(crate) use shared::sign_in::{Prompt, SignInError};

static SITE: Site = Site {
    name: "landing page",
    cookies: CookieNames { round_trip: "landing", session: "landing-session" },
    cookie_key_purpose: b"landing page cookies, AES-256-GCM, version 2",
    cookie_key_setting: "LANDING_COOKIE_KEY",
    redirect_path: routes::SIGNED_IN,
    cookie_lifetime: COOKIE_LIFETIME,
};

/// The sign-in at any origin.
pub(crate) struct SignInApp(shared::sign_in::SignInApp);

/// The sign-in of one visit.
pub(crate) struct SignIn<'a>(shared::sign_in::SignIn<'a>);

impl SignInApp {
    pub(crate) fn new(app: WebApp, refusals: KnownRefusals, clock: Arc<dyn Clock>) -> Self {
        Self(shared::sign_in::SignInApp::new(app, &SITE, refusals, clock))
    }

    pub(crate) fn at(&self, origin: Origin) -> SignIn<'_> {
        SignIn(self.0.at(origin))
    }
}

/// The rest of the sign-in is the same for everyone.
impl<'a> Deref for SignIn<'a> {
    type Target = shared::sign_in::SignIn<'a>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl SignIn<'_> {
    /// Redirects the visitor to Entra, and ends the session of an earlier sign-in.
    pub(crate) async fn begin(
        &self,
        token: &PurchaseToken,
        prompt: Prompt,
        sent: &HeaderMap,
    ) -> Result<Response, SignInError> {
        self.0.begin(Carried::of(token), prompt, sent).await
    }

    /// Handles Entra's redirect back to us, and begins a session.
    pub(crate) async fn finish(&self, request: &Request) -> Result<Response, SignInError> {
        let begin = |person, carried, expires| {
            Ok((Session::new(person, carried, expires), routes::PURCHASE.to_owned()))
        };
        self.0.finish(request, begin).await
    }

    pub(crate) async fn visitor(
        &self,
        headers: &HeaderMap,
    ) -> Result<Visitor<Session>, SignInError> {
        self.0.visitor(headers).await
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
                let carried: Option<Carried> = self.carried(headers).await?;
                Ok(carried.and_then(|carried| carried.purchase_token()))
            }
        }
    }
}
