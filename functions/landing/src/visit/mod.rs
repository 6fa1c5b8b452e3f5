//! One visit, from a request to its answer.

mod handover;
mod manage;
mod sign_out;
mod with_sign_in;
mod without_sign_in;

use std::pin::Pin;
use std::sync::OnceLock;

use http::Method;
use shared::config::is_email;
use shared::domain::{Record, SignUp, Status};
use shared::host::clock::Clock;
use shared::host::error_class::ErrorClass;
use shared::host::http::{Request, Response};
use shared::host::origin::Origin;
use tracing::{error, info, warn};

use crate::brand::Brand;
use crate::brands::Brands;
use crate::handovers::Handovers;
use crate::language_choice::Reader;
use crate::page::{FormToken, Notice, Page, Pages, Place};
use crate::purchase::{Opened, Purchases, VisitError};
use crate::routes::Route;
use crate::sign_in::Session;
use crate::sign_up_form::{Answers, SignUpForm};
use crate::under_way::UnderWay;

/// A request, and all that its answer needs.
pub(crate) struct Visit<'a> {
    pub(crate) purchases: &'a Purchases,
    pub(crate) pages: &'a Pages,
    pub(crate) brands: &'a Brands,
    /// The brand of the purchase that the visit has opened.
    pub(crate) opened: OnceLock<&'a Brand>,
    pub(crate) handovers: Option<&'a Handovers>,
    /// Where the visitor sees the page.
    pub(crate) origin: Option<Origin>,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) route: Route,
    pub(crate) reader: Reader<'a>,
    pub(crate) request: &'a Request,
}

impl<'a> Visit<'a> {
    /// Remembers whose pages the visit is about, also for the notices that follow.
    fn remember(&self, opened: Opened) -> Opened {
        self.opened.get_or_init(|| self.brands.of(&opened.record.subscription));
        opened
    }

    fn brand(&self) -> &'a Brand {
        self.opened.get().copied().unwrap_or(&self.brands.deployment)
    }

    /// Reads the buyer's answers. `None` once the purchase is confirmed, because answers then
    /// change nothing. The error is the form to show again.
    fn answers(&self, record: &Record, form: &str) -> Result<Option<SignUp>, SignUpForm> {
        let is_pending =
            *record.status() == Status::PendingFulfillmentStart && record.activation.is_none();
        let is_pending = is_pending && record.declined().is_none();
        let brand = self.brand();
        if !(is_pending || record.lacks_sign_up()) || !brand.asks() {
            return Ok(None);
        }
        let fields = &brand.fields;
        let answers = Answers::read(form, fields);
        match answers.check(fields, self.reader.language(&brand.languages).code) {
            Ok(sign_up) => Ok(Some(sign_up)),
            Err(errors) => Err(SignUpForm { answers, errors }),
        }
    }

    /// The form when it is first shown, with the answers that we have.
    fn prefilled_form(&self, record: &Record, session: Option<&Session>) -> SignUpForm {
        let answers = match &record.sign_up {
            Some(sign_up) => Answers::of(sign_up, &self.brand().fields),
            None => {
                // The sign-in name is usually the buyer's e-mail address (F-LP-8).
                let username = session.and_then(|session| session.person.username.clone());
                let contact = username.filter(|name| is_email(name)).unwrap_or_default();
                Answers { contact, ..Answers::default() }
            }
        };
        SignUpForm { answers, errors: Vec::new() }
    }

    /// Shows the page for a purchase in this state (F-LP-11). On the heap, as every visit holds it.
    fn show_purchase<'b>(
        &'b self,
        opened: Opened,
        token: FormToken<'b>,
        form: SignUpForm,
        session: Option<&'b Session>,
    ) -> Pin<Box<dyn Future<Output = Response> + Send + 'b>> {
        Box::pin(self.look_up_and_show(opened, token, form, session))
    }

    async fn look_up_and_show(
        &self,
        mut opened: Opened,
        token: FormToken<'_>,
        form: SignUpForm,
        session: Option<&Session>,
    ) -> Response {
        // A page that polls looks at its state alone.
        if !self.is_by_script() {
            let subscription = &opened.record.subscription;
            let wanted = async {
                let plan_id = UnderWay::of(&opened)?.plan_id()?;
                self.purchases.single_plan(subscription, plan_id).await
            };
            let (own, wanted, others) = tokio::join!(
                self.purchases.own_plan(&opened.record),
                wanted,
                self.purchases.others(&opened)
            );
            opened.others = others;
            opened.plans.own = own;
            opened.plans.offered.extend(wanted.map(|plan| *plan));
        }
        let opened = &opened;
        let page = match opened.record.status() {
            Status::PendingFulfillmentStart | Status::Unsubscribed
                if opened.record.declined().is_some() =>
            {
                Page::Declined(opened)
            }
            Status::PendingFulfillmentStart if opened.record.activation.is_some() => {
                Page::Waiting(opened)
            }
            Status::PendingFulfillmentStart => Page::Pending { opened, token, form },
            Status::Subscribed if opened.record.lacks_sign_up() && self.brand().asks() => {
                Page::SignUp { opened, token, form }
            }
            Status::Subscribed | Status::Suspended | Status::Unsubscribed | Status::Other(_) => {
                Page::Existing(opened)
            }
        };
        self.show(page, session)
    }

    fn is_by_script(&self) -> bool {
        self.request.headers().get("sec-fetch-dest").is_some_and(|dest| dest == "empty")
    }

    fn failed(&self, error: VisitError, session: Option<&Session>) -> Response {
        let notice = match error {
            VisitError::Colleague(shown) => {
                info!("a visitor is a colleague of the beneficiary");
                let is_form = *self.request.method() == Method::POST;
                let (subscription, plans) = &*shown;
                let page = Page::Colleague { subscription, plans, is_form, now: self.clock.now() };
                return self.show(page, session);
            }
            VisitError::TokenRejected => {
                info!("Microsoft did not accept the purchase token of a visit");
                Notice::Expired
            }
            VisitError::Stranger { tenant } => {
                warn!("a visitor is neither the beneficiary nor the purchaser");
                Notice::Stranger { may_be_guest: tenant.is_some() }
            }
            VisitError::ActivationRefused => {
                error!(class = ErrorClass::Refused.name(), "Microsoft refused an activation");
                Notice::ActivationRefused
            }
            // The client has logged it.
            error if error.class().is_some_and(ErrorClass::needs_operator) => Notice::Misconfigured,
            error @ (VisitError::NoSubscription
            | VisitError::NoRecord
            | VisitError::Fulfillment(_)
            | VisitError::Activation(_)
            | VisitError::Update(_)
            | VisitError::Incomplete(_)) => {
                let class = error.class().map(ErrorClass::name);
                error!(reason = %error, class, "a visit failed");
                Notice::Unavailable
            }
        };
        self.show_notice(notice, session)
    }

    fn show(&self, page: Page<'_>, session: Option<&Session>) -> Response {
        let own = page.subscription().map(|subscription| self.brands.of(subscription));
        let brand = own.unwrap_or_else(|| self.brand());
        let Self { brands, reader, .. } = *self;
        self.pages.show(page, Place { brands, brand, reader, here: self.route.page(), session })
    }

    fn show_notice(&self, notice: Notice, session: Option<&Session>) -> Response {
        self.show(Page::Notice(notice), session)
    }

    /// The body of a form. A body that is not text has no fields.
    fn form(&self) -> &str {
        std::str::from_utf8(self.request.body()).unwrap_or_default()
    }

    fn query(&self) -> &str {
        self.request.uri().query().unwrap_or_default()
    }
}
