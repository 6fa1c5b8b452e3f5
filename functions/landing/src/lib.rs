//! The landing page: a buyer arrives from Microsoft with a token, sees what was bought, and
//! confirms.

mod page;

use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use shared::activation::{Activated, Activation, ActivationError};
use shared::commit::{Committed, DecideError, adopt, decide};
use shared::config::{ConfigError, Environment, Foundation};
use shared::domain::{Cause, Decision, Record, Status};
use shared::fulfillment::{FulfillmentError, Marketplace, PurchaseToken};
use shared::http::{Handler, Problem, Request, Response};
use shared::retry::RetryPolicy;
use shared::store::Store;
use shared::system::System;
use shared::telemetry;
use tracing::field::{Empty, display};
use tracing::{Span, error, info, info_span, warn};

use page::{Page, Pages};

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
    marketplace: Arc<dyn Marketplace>,
    store: Arc<dyn Store>,
    system: Arc<dyn System>,
    activation: Activation,
    mode: Mode,
    pages: Pages,
}

/// Why a visit ends without the page it was for.
enum Failure {
    /// The token is none of Microsoft's, or too old (F-RES-8).
    Token,
    /// Microsoft refuses the activation.
    Refused,
    /// Microsoft or the table; to be tried again.
    NotNow(String),
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
        signs_nobody_in(environment)?;
        let Foundation { microsoft, store, system } = foundation;
        let marketplace = microsoft.marketplace(RetryPolicy::INTERACTIVE, system.clone());
        Ok(Self {
            marketplace: marketplace.clone(),
            store: store.clone(),
            system: system.clone(),
            activation: Activation { marketplace, store: store.clone(), system: system.clone() },
            mode,
            pages: Pages::new(true),
        })
    }

    /// A visit: what was bought, and where it stands (F-LP-3, F-LP-11).
    async fn visit(&self, token: &PurchaseToken) -> Result<Response, Failure> {
        let record = self.resolve(token).await?;
        let waits = record.activation.is_some();
        Ok(self.pages.show(&match record.status() {
            Status::PendingFulfillmentStart if waits => Page::Activating(&record),
            Status::PendingFulfillmentStart => Page::Pending(&record, token),
            Status::Subscribed | Status::Suspended | Status::Unsubscribed | Status::Other(_) => {
                Page::Existing(&record)
            }
        }))
    }

    /// The buyer confirms. Again is the same as once (F-LP-10).
    async fn confirm(&self, token: &PurchaseToken) -> Result<Response, Failure> {
        let record = self.resolve(token).await?;
        if *record.status() != Status::PendingFulfillmentStart {
            return Ok(self.pages.show(&Page::Existing(&record)));
        }
        match self.mode {
            Mode::OnConfirm => self.activate(record).await,
            Mode::ByPublisher => self.hand_over(record).await,
        }
    }

    async fn activate(&self, record: Record) -> Result<Response, Failure> {
        match self.activation.activate(record.id(), &Cause::Landing).await {
            Ok(Activated::Confirmed(record)) => Ok(self.pages.show(&Page::Existing(&record))),
            Ok(Activated::Requested(record)) => Ok(self.pages.show(&Page::Activating(&record))),
            Err(ActivationError::Suspended | ActivationError::Unsubscribed) => {
                let record = self
                    .store
                    .load(record.id())
                    .await
                    .map_err(DecideError::from)?
                    .unwrap_or(record);
                Ok(self.pages.show(&Page::Existing(&record)))
            }
            Err(ActivationError::Refused(_)) => Err(Failure::Refused),
            Err(
                failed @ (ActivationError::Unknown
                | ActivationError::Fulfillment(_)
                | ActivationError::Decide(_)),
            ) => Err(Failure::NotNow(failed.to_string())),
        }
    }

    async fn hand_over(&self, record: Record) -> Result<Response, Failure> {
        let now = self.system.now();
        let rule = |record: Option<&Record>| {
            Ok(record.map_or(Decision::Unchanged, |record| {
                record.request_activation(&Cause::Landing, now)
            }))
        };
        let id = record.id();
        let Committed { record: noted, .. } =
            decide(&*self.store, &*self.system, id, Some(record.clone()), None, rule).await?;
        Ok(self.pages.show(&Page::Activating(&noted.unwrap_or(record))))
    }

    /// Who bought what: Microsoft's answer, and the record that follows from it.
    async fn resolve(&self, token: &PurchaseToken) -> Result<Record, Failure> {
        let observed = self.marketplace.resolve(token).await?;
        let id = observed
            .id()
            .ok_or_else(|| Failure::NotNow("Resolve named no subscription".to_owned()))?;
        Span::current().record("subscription.id", display(id));
        info!("resolved a purchase");
        let current = self.store.load(id).await.map_err(DecideError::from)?;
        let Committed { record, .. } =
            adopt(&*self.store, &*self.system, id, current, None, &observed, &Cause::Landing)
                .await?;
        record.ok_or_else(|| Failure::NotNow("no record came of a purchase".to_owned()))
    }

    async fn answer(&self, request: &Request) -> Response {
        let (form, confirms) = match *request.method() {
            Method::GET => (request.uri().query().unwrap_or_default(), false),
            _ => (std::str::from_utf8(request.body()).unwrap_or_default(), true),
        };
        let Some(token) = PurchaseToken::from_query(form) else {
            return self.pages.show(&Page::NoToken);
        };
        let shown = if confirms { self.confirm(&token).await } else { self.visit(&token).await };
        shown.unwrap_or_else(|failure| match failure {
            Failure::Token => {
                info!("a visit with a token that Microsoft doesn't take");
                self.pages.show(&Page::Expired)
            }
            Failure::Refused => {
                error!("Microsoft refused an activation");
                self.pages.show(&Page::Refused)
            }
            Failure::NotNow(reason) => {
                error!(reason, "a visit could not be dealt with");
                self.pages.show(&Page::Unavailable)
            }
        })
    }
}

/// Signing in is not offered yet, so that it can only be switched off, and never by default.
fn signs_nobody_in(environment: &Environment) -> Result<(), ConfigError> {
    const NAME: &str = "LANDING_SIGN_IN";
    const PURPOSE: &str = "whether buyers sign in with Entra; `off` is for development only";
    let problem = match environment.get(NAME).as_deref() {
        Some("off") => {
            warn!(
                "LANDING_SIGN_IN is off: whoever holds a link sees the purchase; safe in development only"
            );
            return Ok(());
        }
        Some("entra") | None => "is `entra`, which this version does not offer yet",
        Some(_) => "must be `entra` or `off`",
    };
    Err(ConfigError { name: NAME, problem: problem.to_owned(), purpose: PURPOSE })
}

impl From<FulfillmentError> for Failure {
    fn from(error: FulfillmentError) -> Self {
        match error {
            FulfillmentError::Refused(_) | FulfillmentError::NotFound(_) => Self::Token,
            error => Self::NotNow(error.to_string()),
        }
    }
}

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        Self::NotNow(error.to_string())
    }
}

#[async_trait]
impl Handler for Landing {
    async fn handle(&self, request: Request) -> Response {
        if request.uri().path() != "/landing"
            || !matches!(*request.method(), Method::GET | Method::POST)
        {
            return Problem::new(
                StatusCode::NOT_FOUND,
                "no_route",
                "the landing page is GET /landing",
            )
            .into();
        }
        let span = info_span!("landing", subscription.id = Empty);
        telemetry::within(self.system.new_id(), span, self.answer(&request)).await
    }
}
