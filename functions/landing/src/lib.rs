//! The landing page: a buyer arrives from Microsoft with a token, signs in, sees what was bought,
//! and confirms.

mod manage;
mod page;
mod purchase;
mod sign_in;

use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use shared::activation::Activation;
use shared::config::{ConfigError, Environment, Foundation};
use shared::domain::{Record, Status};
use shared::fulfillment::PurchaseToken;
use shared::http::{Handler, Problem, Request, Response};
use shared::retry::RetryPolicy;
use shared::system::System;
use shared::{deadline, telemetry};
use tracing::field::Empty;
use tracing::{error, info, info_span, warn};

use manage::Wanted;
use page::{Page, Pages, Proof};
use purchase::{Failure, Purchases};
use sign_in::{SIGN_IN, SIGNED_IN, Session, SignIn, SignInError, Visitor, same, see_other, value};

/// Where a customer changes a subscription.
const MANAGE: &str = "/landing/manage";

/// Who activates a confirmed purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// We do, as soon as the buyer confirms.
    OnConfirm,
    /// The publisher's product does, once it has provisioned; the confirmation is an event for it.
    ByPublisher,
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on-confirm" => Ok(Self::OnConfirm),
            "by-publisher" => Ok(Self::ByPublisher),
            _ => Err("must be `on-confirm` or `by-publisher`"),
        }
    }
}

/// What the landing page may touch.
pub struct Landing {
    purchases: Purchases,
    /// `None` where nobody signs in.
    sign_in: Option<SignIn>,
    system: Arc<dyn System>,
    pages: Pages,
}

impl Landing {
    /// The function as its settings describe it.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let foundation = Foundation::read(environment)?;
        Self::new(environment, &foundation)
    }

    /// The function on a given foundation.
    pub fn new(environment: &Environment, foundation: &Foundation) -> Result<Self, ConfigError> {
        const MODE: &str = "who activates a confirmed purchase, `on-confirm` or `by-publisher`";
        let mode = environment.parse_or("ACTIVATION", Mode::OnConfirm, MODE)?;
        let sign_in = sign_in_of(environment, foundation)?;
        let Foundation { microsoft, store, system } = foundation;
        let marketplace = microsoft.marketplace(RetryPolicy::INTERACTIVE, system.clone());
        let activation = Activation {
            marketplace: marketplace.clone(),
            store: store.clone(),
            system: system.clone(),
        };
        let (store, system) = (store.clone(), system.clone());
        Ok(Self {
            pages: Pages::new(sign_in.is_none()),
            purchases: Purchases { marketplace, store, system: system.clone(), activation, mode },
            sign_in,
            system,
        })
    }

    async fn answer(&self, request: &Request) -> Response {
        match (&self.sign_in, request.uri().path()) {
            (Some(sign_in), SIGNED_IN) => match sign_in.finish(request).await {
                Ok(response) => self.pages.seal(response),
                Err(error) => self.not_signed_in(error),
            },
            (Some(sign_in), SIGN_IN) => self.sign_in_again(sign_in, request).await,
            (Some(sign_in), _) => match *request.method() {
                Method::GET => self.visit(sign_in, request).await,
                _ => self.submit(sign_in, request).await,
            },
            (None, SIGNED_IN | SIGN_IN | MANAGE) => self.pages.seal(see_other("/landing")),
            (None, _) => self.answer_anybody(request).await,
        }
    }

    /// A visit: with a token, the way to Entra; signed in, what was bought and where it stands
    /// (F-LP-3, F-LP-5, F-LP-11).
    async fn visit(&self, sign_in: &SignIn, request: &Request) -> Response {
        let visitor = match sign_in.visitor(request.headers()).await {
            Ok(visitor) => visitor,
            Err(error) => return self.not_signed_in(error),
        };
        let token = PurchaseToken::from_query(request.uri().query().unwrap_or_default());
        match (token, visitor) {
            // The address is to hold the token no longer than it takes to get here.
            (Some(token), Visitor::SignedIn(session)) if session.is_about(&token) => {
                self.pages.seal(see_other("/landing"))
            }
            (Some(token), _) => self.begin(sign_in, &token, false).await,
            (None, Visitor::SignedIn(session)) if request.uri().path() == MANAGE => {
                self.manage(&session).await
            }
            (None, Visitor::SignedIn(session)) => self.show(&session).await,
            (None, Visitor::SignedOut(session)) => match session.token() {
                Some(token) => self.begin(sign_in, &token, false).await,
                None => self.pages.show(&Page::NoToken, None),
            },
            (None, Visitor::Unknown) => self.pages.show(&Page::NoToken, None),
        }
    }

    async fn show(&self, session: &Session) -> Response {
        match self.open(session).await {
            Ok(record) => {
                self.pages.show(&of(&record, Proof::Session(&session.submit)), Some(session))
            }
            Err(failure) => self.failed(failure, Some(session)),
        }
    }

    /// What the customer may change (F-CHP-3); where that is nothing, the purchase itself.
    async fn manage(&self, session: &Session) -> Response {
        let offered = match self.open(session).await {
            Ok(record) => self.purchases.offered(&record).await.map(|offered| (record, offered)),
            Err(failure) => Err(failure),
        };
        match offered {
            Ok((_, offered)) if offered.is_empty() => self.pages.seal(see_other("/landing")),
            Ok((record, offered)) => {
                let page = Page::Manage(&record, &offered, &session.submit);
                self.pages.show(&page, Some(session))
            }
            Err(failure) => self.failed(failure, Some(session)),
        }
    }

    /// A change that was chosen is shown once more; confirmed, it goes to Microsoft.
    async fn change(&self, session: &Session, form: &str) -> Result<Response, Failure> {
        let record = self.open(session).await?;
        let offered = self.purchases.offered(&record).await?;
        let Some(wanted) = Wanted::parse(form).filter(|wanted| wanted.is_in(&offered)) else {
            return Ok(self.pages.show(&Page::NotOffered, Some(session)));
        };
        if value(form, "confirmed").as_deref() != Some("yes") {
            let page = Page::Change(&record, &offered, &wanted, &session.submit);
            return Ok(self.pages.show(&page, Some(session)));
        }
        let outcome = self.purchases.change(record, &wanted).await?;
        Ok(self.pages.show(&Page::Changed(&outcome), Some(session)))
    }

    async fn open(&self, session: &Session) -> Result<Record, Failure> {
        let token = session.token().ok_or(Failure::Token)?;
        self.purchases.open(&token, Some(&session.person.account)).await
    }

    /// A form of ours comes back. Whatever it changes, a redirect follows, so that loading the page
    /// again sends nothing twice.
    async fn submit(&self, sign_in: &SignIn, request: &Request) -> Response {
        let session = match sign_in.visitor(request.headers()).await {
            Ok(Visitor::SignedIn(session)) => session,
            Ok(Visitor::SignedOut(_)) => return self.pages.show(&Page::SessionOver, None),
            Ok(Visitor::Unknown) => return self.pages.show(&Page::NoToken, None),
            Err(error) => return self.not_signed_in(error),
        };
        let form = std::str::from_utf8(request.body()).unwrap_or_default();
        let is_ours = value(form, "submit").is_some_and(|submit| same(&submit, &session.submit));
        if !is_ours || !sign_in.is_own_form(request.headers()) {
            warn!("a form that is not of this session's pages");
            return self.pages.show(&Page::SessionOver, None);
        }
        if request.uri().path() == MANAGE {
            let changed = self.change(&session, form).await;
            return changed.unwrap_or_else(|failure| self.failed(failure, Some(&session)));
        }
        let confirmed = match self.open(&session).await {
            Ok(record) => self.purchases.confirm(record).await,
            Err(failure) => Err(failure),
        };
        match confirmed {
            Ok(_) => self.pages.seal(see_other("/landing")),
            Err(failure) => self.failed(failure, Some(&session)),
        }
    }

    async fn begin(&self, sign_in: &SignIn, token: &PurchaseToken, choose: bool) -> Response {
        match sign_in.begin(token, choose).await {
            Ok(response) => self.pages.seal(response),
            Err(error) => self.not_signed_in(error),
        }
    }

    async fn sign_in_again(&self, sign_in: &SignIn, request: &Request) -> Response {
        match sign_in.purchase(request.headers()).await {
            Ok(Some(token)) => self.begin(sign_in, &token, true).await,
            Ok(None) => self.pages.show(&Page::NoToken, None),
            Err(error) => self.not_signed_in(error),
        }
    }

    fn not_signed_in(&self, error: SignInError) -> Response {
        let page = match error {
            SignInError::Failed(reason) => {
                warn!(reason, "a sign-in was refused");
                Page::SignInFailed
            }
            SignInError::Declined => {
                info!("a visitor declined to sign in");
                Page::Declined
            }
            SignInError::TooLong => {
                info!("a visit with a token that is too long for any of Microsoft's");
                Page::Expired
            }
            SignInError::Unavailable(reason) => {
                error!(reason, "nobody can be signed in");
                Page::Unavailable
            }
        };
        self.pages.show(&page, None)
    }

    /// The same without a sign-in: the token alone opens the purchase, and stands in the form.
    async fn answer_anybody(&self, request: &Request) -> Response {
        let (form, confirms) = match *request.method() {
            Method::GET => (request.uri().query().unwrap_or_default(), false),
            _ => (std::str::from_utf8(request.body()).unwrap_or_default(), true),
        };
        let Some(token) = PurchaseToken::from_query(form) else {
            return self.pages.show(&Page::NoToken, None);
        };
        let opened = match self.purchases.open(&token, None).await {
            Ok(record) if confirms => self.purchases.confirm(record).await,
            opened => opened,
        };
        match opened {
            Ok(record) => self.pages.show(&of(&record, Proof::Token(token.expose())), None),
            Err(failure) => self.failed(failure, None),
        }
    }

    fn failed(&self, failure: Failure, session: Option<&Session>) -> Response {
        let page = match failure {
            Failure::Token => {
                info!("a visit with a token that Microsoft doesn't take");
                Page::Expired
            }
            Failure::Stranger => {
                warn!("a visit by somebody the purchase is not for");
                Page::Stranger
            }
            Failure::Refused => {
                error!("Microsoft refused an activation");
                Page::Refused
            }
            Failure::NotNow(reason) => {
                error!(reason, "a visit could not be dealt with");
                Page::Unavailable
            }
        };
        self.pages.show(&page, session)
    }
}

/// The page for where a purchase stands (F-LP-11).
fn of<'a>(record: &'a Record, proof: Proof<'a>) -> Page<'a> {
    match record.status() {
        Status::PendingFulfillmentStart if record.activation.is_some() => Page::Activating(record),
        Status::PendingFulfillmentStart => Page::Pending(record, proof),
        Status::Subscribed | Status::Suspended | Status::Unsubscribed | Status::Other(_) => {
            Page::Existing(record)
        }
    }
}

/// How buyers sign in. It can be switched off, and never by default.
fn sign_in_of(
    environment: &Environment,
    foundation: &Foundation,
) -> Result<Option<SignIn>, ConfigError> {
    const NAME: &str = "LANDING_SIGN_IN";
    match environment.get(NAME).as_deref() {
        Some("off") => {
            warn!(
                "LANDING_SIGN_IN is off: whoever holds a link sees the purchase; safe in development only"
            );
            Ok(None)
        }
        Some("entra") | None => {
            let app = foundation.microsoft.landing_app(environment)?;
            Ok(Some(SignIn::new(app, foundation.system.clone())))
        }
        Some(_) => Err(ConfigError {
            name: NAME,
            problem: "must be `entra` or `off`".to_owned(),
            purpose: "whether buyers sign in with Entra; `off` is for development only",
        }),
    }
}

#[async_trait]
impl Handler for Landing {
    async fn handle(&self, request: Request) -> Response {
        let (path, method) = (request.uri().path(), request.method());
        let is_route = match path {
            "/landing" | MANAGE => matches!(*method, Method::GET | Method::POST),
            SIGNED_IN | SIGN_IN => *method == Method::GET,
            _ => false,
        };
        if !is_route {
            return Problem::new(
                StatusCode::NOT_FOUND,
                "no_route",
                "the landing page is GET /landing",
            )
            .into();
        }
        let span = info_span!("landing", correlation_id = Empty, subscription.id = Empty);
        let work = deadline::until(self.system.now() + deadline::OF_CALLER, self.answer(&request));
        telemetry::within(self.system.new_id(), span, work).await
    }
}
