//! The landing page. Microsoft's link brings a buyer with a purchase token: the page signs the
//! buyer in with Entra, shows the purchase, and takes the confirmation. Later it offers changes.

mod assets;
mod brand;
mod brands;
mod elsewhere;
mod handovers;
mod known_plans;
mod language;
mod language_choice;
mod manage;
mod others;
mod own_plan;
mod page;
mod purchase;
mod routes;
mod sign_in;
mod sign_up_form;
mod under_way;
mod visit;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use shared::config::{Branding, Dependencies, LANDING_BASE_URL, Retention, handover_keys};
use shared::host::clock::Clock;
use shared::host::environment::{ConfigError, Environment};
use shared::host::error_class::ErrorClass;
use shared::host::http::{GatewayHost, Handler, Problem, Request, Response};
use shared::host::origin::Origin;
use shared::host::retry::RetryPolicy;
use shared::host::{correlation, deadline};
use shared::publisher::approval::ChangeApproval;
use shared::store::KnownRefusals;
use shared::web::SecurityHeaders;
use tracing::field::Empty;
use tracing::{error, info_span, warn};

use brands::{Brands, CurrentBrands};
use elsewhere::redirect_to_origin;
use handovers::Handovers;
use language::Languages;
use language_choice::Reader;
use page::{Notice, Pages};
use purchase::Purchases;
use routes::{Methods, Route};
use sign_in::SignInApp;
use visit::Visit;

/// The content security policy of an answer that is no page. Pages and files have policies of their own.
const NO_PAGE: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the landing page may touch.
pub struct Landing {
    purchases: Purchases,
    /// `None` if sign-in is off.
    sign_in: Option<SignInApp>,
    /// `None` if it is that of the gateway's host.
    origin: Option<Origin>,
    clock: Arc<dyn Clock>,
    brands: CurrentBrands,
    pages: Pages,
    /// `None` without a key.
    handovers: Option<Handovers>,
    headers: SecurityHeaders,
    languages: Languages,
}

/// What an address leads to.
enum Target {
    /// The address without a path.
    Home,
    Asset(Response),
    Visit(Route),
}

impl Target {
    fn methods(&self) -> Methods {
        match self {
            Self::Home | Self::Asset(_) => Methods::Look,
            Self::Visit(route) => route.methods(),
        }
    }
}

impl Landing {
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Self::behind_gateway(environment, &Dependencies::read(environment)?)
    }

    /// The page behind a gateway, which names its own host with each request. So `LANDING_BASE_URL`
    /// is needed only where a proxy stands in front of the gateway.
    pub fn behind_gateway(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        Self::at(LANDING_BASE_URL.read_if_set(environment)?, environment, dependencies)
    }

    pub fn new(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        Self::at(Some(LANDING_BASE_URL.read(environment)?), environment, dependencies)
    }

    fn at(
        origin: Option<Origin>,
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        let sign_in = read_sign_in(environment, dependencies, origin.as_ref())?;
        let approval = ChangeApproval::read(environment, dependencies)?;
        let branding = Branding::read(environment)?;
        if sign_in.is_none() && branding.hands_over() {
            return Err(ConfigError {
                name: "LANDING_SIGN_IN",
                problem: "is `off`, and there is a sign-up page, to which people are handed over"
                    .to_owned(),
                purpose: "whether buyers sign in with Entra; `off` is for development only",
            });
        }
        let keys = handover_keys(environment, dependencies, branding.hands_over())?;
        let languages = Languages::shipped();
        let retention = Retention::read(environment)?;
        let pages = Pages::new(&languages, sign_in.is_none());
        let Dependencies { microsoft, clock, refusals, .. } = dependencies;
        let refusals = KnownRefusals::new(refusals.clone(), clock.clone());
        let marketplace = microsoft.marketplace(RetryPolicy::INTERACTIVE, clock.clone());
        Ok(Self {
            purchases: Purchases::new(
                marketplace,
                dependencies.ledger(),
                dependencies.store.clone(),
                refusals,
                approval,
            ),
            headers: SecurityHeaders::new(origin.as_ref(), HeaderValue::from_static(NO_PAGE)),
            brands: CurrentBrands::new(
                dependencies.offer_settings.clone(),
                clock.clone(),
                branding,
                retention,
            ),
            handovers: keys.map(|keys| Handovers::new(keys, clock.clone())),
            origin,
            pages,
            languages,
            sign_in,
            clock: clock.clone(),
        })
    }

    fn no_route(&self, request: &Request, brands: &Brands, reader: Reader<'_>) -> Response {
        if *request.method() == Method::GET && wants_html(request.headers()) {
            return self.pages.show_deployments(Notice::NotFound, brands, reader);
        }
        Problem::new(StatusCode::NOT_FOUND, "no_route", "the landing page is GET /landing").into()
    }

    fn target(uri: &Uri, brands: &Brands) -> Option<Target> {
        if uri.path() == "/" {
            return Some(Target::Home);
        }
        let asset = brands.assets.answer(uri).map(Target::Asset);
        asset.or_else(|| Route::of(uri.path()).map(Target::Visit))
    }

    async fn respond(&self, mut request: Request) -> Response {
        let answers_head = Route::of(request.uri().path())
            .is_none_or(|route| route.methods().contain(&Method::HEAD));
        if *request.method() == Method::HEAD && answers_head {
            *request.method_mut() = Method::GET;
        }
        let reader = Reader::of(&self.languages, &request);
        let mut response = self.respond_to(reader, &request).await;
        if let Some(language) = reader.chosen {
            let secure = self.origin_of(&request).is_some_and(|origin| origin.is_https());
            language_choice::remember(&mut response, language, secure);
        }
        response
    }

    async fn respond_to(&self, reader: Reader<'_>, request: &Request) -> Response {
        let brands = self.brands.get().await;
        let Some(target) = Self::target(request.uri(), &brands) else {
            return self.no_route(request, &brands, reader);
        };
        let methods = target.methods();
        if !methods.contain(request.method()) {
            return Problem::method_not_allowed(methods.allow()).into();
        }
        match target {
            Target::Home => self.pages.home(&brands, reader),
            Target::Asset(asset) => asset,
            Target::Visit(route) => self.visit(route, &brands, reader, request).await,
        }
    }

    async fn visit(
        &self,
        route: Route,
        brands: &Brands,
        reader: Reader<'_>,
        request: &Request,
    ) -> Response {
        let sign_in = match &self.sign_in {
            None => None,
            Some(app) => match self.origin_of(request) {
                Some(origin) => Some(app.at(origin)),
                None => {
                    let class = ErrorClass::Configuration;
                    error!(
                        class = class.name(),
                        metric = class.metric(),
                        "LANDING_BASE_URL is not set, and no gateway names the page's host"
                    );
                    return self.pages.show_deployments(Notice::Misconfigured, brands, reader);
                }
            },
        };
        if let (Some(sign_in), Some(origin)) = (&sign_in, &self.origin)
            && !sign_in.has_cookie(request.headers())
            && let Some(redirect) = redirect_to_origin(origin, request)
        {
            return redirect;
        }
        let span = info_span!("landing", correlation_id = Empty, subscription.id = Empty);
        let visit = Visit {
            purchases: &self.purchases,
            pages: &self.pages,
            brands,
            opened: OnceLock::new(),
            handovers: self.handovers.as_ref(),
            origin: self.origin_of(request),
            clock: &*self.clock,
            route,
            reader,
            request,
        };
        // Boxed once: unboxed, each of the futures around it would move these 40 KB over the stack.
        let answer = Box::pin(async {
            match &sign_in {
                Some(sign_in) => visit.answer_with_sign_in(sign_in).await,
                None => visit.answer_without_sign_in().await,
            }
        });
        let work = deadline::with_deadline(self.clock.now() + deadline::CALLER_TIME, answer);
        correlation::in_span(self.clock.new_id(), span, work).await
    }

    /// Where the visitor sees the page.
    fn origin_of(&self, request: &Request) -> Option<Origin> {
        let of_gateway = || Origin::of_host(&request.extensions().get::<GatewayHost>()?.0);
        self.origin.clone().or_else(of_gateway)
    }
}

/// Buyers sign in with Entra unless a setting turns sign-in off. It does so only where no other
/// machine can open the page: without sign-in, anyone with a link confirms the purchase.
fn read_sign_in(
    environment: &Environment,
    dependencies: &Dependencies,
    origin: Option<&Origin>,
) -> Result<Option<SignInApp>, ConfigError> {
    const NAME: &str = "LANDING_SIGN_IN";
    const PURPOSE: &str = "whether buyers sign in with Entra; `off` is for development only";
    let wrong =
        |problem: &str| ConfigError { name: NAME, problem: problem.to_owned(), purpose: PURPOSE };
    match environment.get(NAME).as_deref() {
        Some("off") if !origin.is_some_and(Origin::is_loopback) => {
            Err(wrong("is `off`, and the host of LANDING_BASE_URL is not this machine"))
        }
        Some("off") => {
            warn!(
                "LANDING_SIGN_IN is off: a link alone opens and confirms a purchase; use this in \
                 development only"
            );
            Ok(None)
        }
        Some("entra") | None => {
            let app = dependencies.microsoft.landing_app(environment)?;
            let Dependencies { refusals, clock, .. } = dependencies;
            let refusals = KnownRefusals::new(refusals.clone(), clock.clone());
            Ok(Some(SignInApp::new(app, refusals, clock.clone())))
        }
        Some(_) => Err(wrong("must be `entra` or `off`")),
    }
}

/// Browsers accept HTML. Programs get an error as JSON.
fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

#[async_trait]
impl Handler for Landing {
    async fn handle(&self, request: Request) -> Response {
        self.headers.protect(self.respond(request).await)
    }

    fn refuse(&self, problem: Problem) -> Response {
        self.headers.protect(problem.into())
    }
}
