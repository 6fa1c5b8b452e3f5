//! The landing page: a buyer arrives from Microsoft with a token, signs in, sees what was bought,
//! and confirms.

mod assets;
mod form;
mod language;
mod manage;
mod page;
mod purchase;
mod sign_in;
mod theme;
mod visit;

use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::ACCEPT;
use http::{HeaderMap, Method, StatusCode};
use shared::config::{Branding, Dependencies};
use shared::flows::activation::ActivationFlow;
use shared::flows::request_change::ChangeFlow;
use shared::host::clock::Clock;
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::{Handler, Problem, Request, Response};
use shared::host::retry::RetryPolicy;
use shared::host::{correlation, deadline};
use tracing::field::Empty;
use tracing::{info_span, warn};

use assets::Assets;
use language::Languages;
use page::{Page, Pages};
use purchase::Purchases;
use sign_in::{SIGN_IN, SIGNED_IN, SignIn};
use visit::Visit;

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
    clock: Arc<dyn Clock>,
    assets: Assets,
    pages: Pages,
    languages: Languages,
}

impl Landing {
    /// The function as its settings describe it.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let dependencies = Dependencies::read(environment)?;
        Self::new(environment, &dependencies)
    }

    /// The function on a given foundation.
    pub fn new(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        const MODE: &str = "who activates a confirmed purchase, `on-confirm` or `by-publisher`";
        let mode = environment.parse_or("ACTIVATION", Mode::OnConfirm, MODE)?;
        let sign_in = sign_in_of(environment, dependencies)?;
        let clock = dependencies.clock.clone();
        let marketplace =
            dependencies.microsoft.marketplace(RetryPolicy::INTERACTIVE, clock.clone());
        let ledger = dependencies.ledger();
        let branding = Branding::read(environment)?;
        let assets = Assets::new(branding.logo.clone());
        Ok(Self {
            pages: Pages::new(branding, &assets, sign_in.is_none()),
            assets,
            languages: Languages::shipped(),
            purchases: Purchases {
                activation: ActivationFlow {
                    marketplace: marketplace.clone(),
                    ledger: ledger.clone(),
                },
                changes: ChangeFlow { marketplace: marketplace.clone(), ledger: ledger.clone() },
                marketplace,
                ledger,
                mode,
            },
            sign_in,
            clock,
        })
    }
}

/// How buyers sign in. It can be switched off, and never by default.
fn sign_in_of(
    environment: &Environment,
    dependencies: &Dependencies,
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
            let app = dependencies.microsoft.landing_app(environment)?;
            Ok(Some(SignIn::new(app, dependencies.clock.clone())))
        }
        Some(_) => Err(ConfigError {
            name: NAME,
            problem: "must be `entra` or `off`".to_owned(),
            purpose: "whether buyers sign in with Entra; `off` is for development only",
        }),
    }
}

/// Whether the caller is a browser that somebody looks at.
fn wants_a_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

#[async_trait]
impl Handler for Landing {
    async fn handle(&self, request: Request) -> Response {
        let (path, method) = (request.uri().path(), request.method());
        if *method == Method::GET
            && let Some(asset) = self.assets.answer(request.uri())
        {
            return asset;
        }
        let is_route = match path {
            "/landing" | MANAGE => matches!(*method, Method::GET | Method::POST),
            SIGNED_IN | SIGN_IN => *method == Method::GET,
            _ => false,
        };
        let language = self.languages.of_reader(request.headers());
        if !is_route {
            if *method == Method::GET && wants_a_page(request.headers()) {
                return self.pages.show(Page::NotFound, language, None);
            }
            return Problem::new(
                StatusCode::NOT_FOUND,
                "no_route",
                "the landing page is GET /landing",
            )
            .into();
        }
        let span = info_span!("landing", correlation_id = Empty, subscription.id = Empty);
        let visit = Visit { landing: self, language, request: &request };
        let work =
            deadline::with_deadline(self.clock.now() + deadline::CALLER_TIME, visit.answer());
        correlation::in_span(self.clock.new_id(), span, work).await
    }
}
