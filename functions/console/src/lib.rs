//! The console: what the publisher's staff see and do. It has an origin of its own, and no script.
//!
//! It is the publisher's API with pages in front: each act is a call of it, in the name of the person who is
//! signed in. A page reads the table in few reads, and leaves the same audit line as a call of the API.

mod act;
mod act_call;
mod act_of_deployment;
mod act_page;
mod acts;
mod answers;
mod api;
mod copies;
mod credentials;
mod form;
mod frame;
mod pages;
mod routes;
mod settings;
mod standing;
mod table;
mod waits;
mod words;

use std::sync::Arc;

use activation::Activation;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method, StatusCode};
use management::Management;
use ring::digest::{SHA256, digest};
use shared::config::{self, CONSOLE_BASE_URL, Dependencies, ManagementSettings};
use shared::host::clock::Clock;
use shared::host::cloudwatch::Alarms;
use shared::host::environment::{ConfigError, Environment};
use shared::host::http::{GatewayHost, Handler, Problem, Request, Response, see_other};
use shared::host::origin::Origin;
use shared::host::retry::RetryPolicy;
use shared::host::{correlation, deadline};
use shared::microsoft::fulfillment::Marketplace;
use shared::sign_in::{NotStaff, SignInError, Staff, StaffSignIn, StaffSignInAt};
use shared::store::KnownRefusals;
use shared::web::SecurityHeaders;
use tracing::field::Empty;
use tracing::{error, info, info_span, warn};

use act::Act;
use acts::{Doing, NotDone};
use api::{Api, Caller};
use credentials::Credentials;
use form::Form;
use frame::{Frame, STYLE};
use pages::{ListQuery, Notice, Pages, denied, no_role, refused};
use routes::Route;
use settings::Setting;
use table::Table;

/// What the console may touch.
pub struct Console {
    api: Api,
    table: Table,
    /// For Microsoft's copy beside ours, which no call of the API shows without adopting it.
    marketplace: Arc<dyn Marketplace>,
    /// `None` where CloudWatch keeps no alarms of the deployment.
    alarms: Option<Arc<dyn Alarms>>,
    sign_in: StaffSignIn,
    /// `None` if it is that of the gateway's host.
    origin: Option<Origin>,
    headers: SecurityHeaders,
    credentials: Credentials,
    /// What it is called, on every page.
    name: String,
    settings: Vec<Setting>,
    rules: Vec<(&'static str, String)>,
    clock: Arc<dyn Clock>,
}

impl Console {
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let dependencies = Dependencies::read(environment)?;
        let settings = ManagementSettings::read_on_aws(environment, &dependencies)?;
        let origin = CONSOLE_BASE_URL.read_if_set(environment)?;
        Self::at(origin, environment, &dependencies, settings)
    }

    /// The console at the origin that `CONSOLE_BASE_URL` names.
    pub fn new(
        environment: &Environment,
        dependencies: &Dependencies,
        settings: ManagementSettings,
    ) -> Result<Self, ConfigError> {
        let origin = CONSOLE_BASE_URL.read(environment)?;
        Self::at(Some(origin), environment, dependencies, settings)
    }

    fn at(
        origin: Option<Origin>,
        environment: &Environment,
        dependencies: &Dependencies,
        settings: ManagementSettings,
    ) -> Result<Self, ConfigError> {
        let Dependencies { microsoft, refusals, transport, clock, .. } = dependencies;
        let app = microsoft.console_app(environment)?;
        let refusals = KnownRefusals::new(refusals.clone(), clock.clone());
        let rules = settings::rules(environment);
        let table = Table {
            overview: settings.overview.clone(),
            attempts: settings.attempts.clone(),
            runs: dependencies.runs.clone(),
            store: dependencies.store.clone(),
            receivers: settings.receivers.clone(),
        };
        let publisher = config::publisher_name(environment)?;
        Ok(Self {
            table,
            api: Api {
                management: Arc::new(Management::new(dependencies, settings)),
                activation: Arc::new(Activation::new(dependencies)),
            },
            marketplace: microsoft.marketplace(RetryPolicy::INTERACTIVE, clock.clone()),
            alarms: config::alarms(environment, dependencies)?,
            sign_in: StaffSignIn::new(app, refusals, clock.clone()),
            headers: SecurityHeaders::new(origin.as_ref(), policy()),
            name: publisher.map_or("Console".to_owned(), |name| format!("{name} console")),
            origin,
            credentials: Credentials(config::app_credentials(environment, transport)?),
            settings: settings::in_force(environment),
            rules,
            clock: clock.clone(),
        })
    }

    /// Where the staff see the console.
    fn origin_of(&self, request: &Request) -> Option<Origin> {
        let of_gateway = || Origin::of_host(&request.extensions().get::<GatewayHost>()?.0);
        self.origin.clone().or_else(of_gateway)
    }

    async fn respond(&self, mut request: Request) -> Response {
        if request.uri().path() == "/" {
            return see_other(routes::NEEDS_YOU);
        }
        let Some(route) = Route::of(request.uri().path()) else { return no_route() };
        if !route.serves(request.method()) {
            return Problem::method_not_allowed(route.allow()).into();
        }
        if *request.method() == Method::HEAD {
            *request.method_mut() = Method::GET;
        }
        let Some(origin) = self.origin_of(&request) else {
            return Notice::Misconfigured.show(&self.name);
        };
        let sign_in = self.sign_in.at(origin);
        match route {
            Route::SignedIn => match sign_in.finish(&request).await {
                Ok(response) => response,
                Err(NotStaff::NoRole(person)) => {
                    let id = person.account.object_id.unwrap_or_default();
                    let principal = format!("console: {id}");
                    warn!(principal, "refused a person without a role of the console");
                    no_role(person.username.as_deref(), &self.name)
                }
                Err(NotStaff::SignIn(error)) => not_signed_in(&error, &self.name),
            },
            Route::SignIn => {
                let begun =
                    sign_in.begin_with_another_account(routes::NEEDS_YOU, request.headers());
                begun.await.unwrap_or_else(|error| not_signed_in(&error, &self.name))
            }
            Route::SignedOut => Notice::SignedOut.show(&self.name),
            route => self.visit(route, &request, &sign_in).await,
        }
    }

    /// A visit of a person who must be signed in.
    async fn visit(
        &self,
        route: Route,
        request: &Request,
        sign_in: &StaffSignInAt<'_>,
    ) -> Response {
        let headers = request.headers();
        let staff = match sign_in.staff(headers).await {
            Ok(Some(staff)) => staff,
            // The form would be lost on the way.
            Ok(None) if *request.method() == Method::POST => {
                return Notice::SessionOver.show(&self.name);
            }
            Ok(None) => {
                let to = request.uri().path_and_query().map_or(routes::NEEDS_YOU, |to| to.as_str());
                let begun = sign_in.begin(to, headers).await;
                return begun.unwrap_or_else(|error| not_signed_in(&error, &self.name));
            }
            Err(error) => return not_signed_in(&error, &self.name),
        };
        if *request.method() == Method::POST {
            let token = Form::new(request.body()).get("csrf").unwrap_or_default();
            if !staff.owns_form_with(&token) || !sign_in.is_same_origin(headers) {
                warn!("refused a form that is not from this session's pages");
                return Notice::SessionOver.show(&self.name);
            }
        }
        if route == Route::SignOut {
            return sign_in.sign_out(routes::SIGNED_OUT, headers);
        }
        self.page(&route, request, &staff).await
    }

    async fn page(&self, route: &Route, request: &Request, staff: &Staff) -> Response {
        let query = Form::new(request.uri().query().unwrap_or_default().as_bytes());
        let frame = Frame {
            staff,
            console: &self.name,
            here: route.tab(),
            now: self.clock.now(),
            done: query.get("done").and_then(|name| route.done(&name)).map(Act::done),
        };
        let caller = Caller { api: &self.api, staff, is_export: false };
        let pages = Pages { caller, frame, table: &self.table };
        let next = query.get("next");
        let list = || ListQuery::read(request.uri().query().unwrap_or_default());
        let answered = match route {
            Route::NeedsYou => {
                return pages.needs_you(self.alarms.as_deref(), &self.credentials).await;
            }
            Route::Subscriptions => pages.list(&list()).await,
            Route::Csv => pages.csv(&list()).await,
            Route::Subscription(id) => {
                let until = query.get("until").and_then(|until| until.parse().ok());
                let before = query.get("before").and_then(|before| before.parse().ok());
                pages.subscription(*id, until, before, &*self.marketplace).await
            }
            Route::Data(id) => pages.data(*id).await,
            Route::Deliveries => return pages.deliveries(next.as_deref()).await,
            Route::TestEvent(id) => pages.test_event(id).await,
            Route::Reconciliation => pages.reconciliation(next.as_deref()).await,
            Route::Health => return pages.health(&self.settings).await,
            Route::Examine => {
                let principal = format!("console: {}", staff.object_id);
                info!(principal, "examines the deployment for a person at the console");
                pages.examine().await
            }
            Route::Offers => pages.offers(&self.rules, &*self.marketplace).await,
            Route::Act(act, id) => {
                let key = self.clock.new_id().to_string();
                let doing = Doing { act: *act, id: *id, caller, frame, key };
                return self.act(doing, request, query).await;
            }
            Route::SignIn | Route::SignedIn | Route::SignOut | Route::SignedOut => {
                return no_route();
            }
        };
        answered.unwrap_or_else(|refusal| refused(frame, &refusal, frame.here))
    }

    async fn act(&self, doing: Doing<'_>, request: &Request, query: Form<'_>) -> Response {
        let (act, frame, back) = (doing.act, doing.frame, doing.back());
        if !frame.may(act) {
            let text = format!(
                "“{}” requires the role {}; yours is {}. Ask an administrator of your directory.",
                act.title(),
                act.role(),
                frame.staff.role
            );
            let title = "You don't have permission";
            return denied(frame, StatusCode::FORBIDDEN, title, &text, &back);
        }
        if *request.method() == Method::GET {
            let shown = doing.show(query).await;
            return shown.unwrap_or_else(|refusal| refused(frame, &refusal, &back));
        }
        match doing.carry_out(Form::new(request.body())).await {
            Ok(done) => {
                let principal = format!("console: {}", frame.staff.object_id);
                info!(act = act.name(), principal, "did what a person asked for at the console");
                done
            }
            Err(NotDone::Refused(refusal)) => refused(frame, &refusal, &back),
            Err(NotDone::Incomplete(text)) => {
                denied(frame, StatusCode::BAD_REQUEST, "Nothing was done", text, &back)
            }
            Err(NotDone::Changed) => {
                let text = "Nothing was done. Check the subscription before you try again.";
                let title = "It has changed since you looked";
                denied(frame, StatusCode::PRECONDITION_FAILED, title, text, &back)
            }
        }
    }
}

/// The content security policy of every page: no script, nothing from another site, forms to the console
/// itself.
fn policy() -> HeaderValue {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'"
    );
    HeaderValue::try_from(policy).expect("base64 is header text")
}

fn not_signed_in(error: &SignInError, console: &str) -> Response {
    match error {
        SignInError::Untrusted(reason) => {
            warn!(%reason, "refused a sign-in");
            Notice::SignInFailed
        }
        SignInError::Declined => {
            info!("a member of the staff declined to sign in");
            Notice::SignInFailed
        }
        SignInError::TooLong => Notice::SignInFailed,
        SignInError::Unavailable(reason) => {
            let class = reason.class();
            error!(
                %reason, class = class.name(), metric = class.metric(),
                "could not sign a member of the staff in"
            );
            match class.needs_operator() {
                true => Notice::Misconfigured,
                false => Notice::SignInUnavailable,
            }
        }
    }
    .show(console)
}

fn no_route() -> Response {
    Problem::new(StatusCode::NOT_FOUND, "no_route", "the console begins at /console").into()
}

#[async_trait]
impl Handler for Console {
    async fn handle(&self, request: Request) -> Response {
        let span = info_span!("console", correlation_id = Empty, subscription.id = Empty);
        let work = Box::pin(self.respond(request));
        let work = deadline::with_deadline(self.clock.now() + deadline::CALLER_TIME, work);
        let response = correlation::in_span(self.clock.new_id(), span, work).await;
        self.headers.protect(response)
    }

    fn refuse(&self, problem: Problem) -> Response {
        self.headers.protect(problem.into())
    }
}
