//! One visit, from a request to its answer.

use http::Method;
use shared::config::is_email;
use shared::domain::{Record, SignUp, Status};
use shared::host::http::{Request, Response};
use shared::microsoft::fulfillment::PurchaseToken;
use tracing::{error, info, warn};

use crate::form::{CONTACT, Entered};
use crate::language::Language;
use crate::manage::{self, ChangeOutcome, Chosen};
use crate::page::{Filled, Page, Proof};
use crate::purchase::VisitError;
use crate::sign_in::{
    SIGN_IN, SIGNED_IN, Session, SignIn, SignInError, Visitor, constant_time_eq, see_other, value,
};
use crate::{Landing, MANAGE};

/// A request, and the language of its reader.
pub(crate) struct Visit<'a> {
    pub landing: &'a Landing,
    pub language: &'a Language,
    pub request: &'a Request,
}

impl Visit<'_> {
    pub(crate) async fn answer(&self) -> Response {
        match (&self.landing.sign_in, self.request.uri().path()) {
            (Some(sign_in), SIGNED_IN) => match sign_in.finish(self.request).await {
                Ok(response) => self.with_security_headers(response),
                Err(error) => self.not_signed_in(error),
            },
            (Some(sign_in), SIGN_IN) => self.begin_again(sign_in, true).await,
            (Some(sign_in), _) => match *self.request.method() {
                Method::GET => self.look(sign_in).await,
                _ => self.submit(sign_in).await,
            },
            (None, SIGNED_IN | SIGN_IN | MANAGE) => {
                self.with_security_headers(see_other("/landing"))
            }
            (None, _) => self.answer_without_sign_in().await,
        }
    }

    /// With a token in the address, sends the visitor to Entra. After the sign-in, shows the purchase
    /// and its status (F-LP-3, F-LP-5, F-LP-11).
    async fn look(&self, sign_in: &SignIn) -> Response {
        let visitor = match sign_in.visitor(self.request.headers()).await {
            Ok(visitor) => visitor,
            Err(error) => return self.not_signed_in(error),
        };
        let token = PurchaseToken::from_query(self.request.uri().query().unwrap_or_default());
        match (token, visitor) {
            // Removes the token from the address as soon as possible.
            (Some(token), Visitor::SignedIn(session)) if session.is_about(&token) => {
                self.with_security_headers(see_other("/landing"))
            }
            (Some(token), _) => self.begin(sign_in, &token, false).await,
            (None, Visitor::SignedIn(session)) if self.request.uri().path() == MANAGE => {
                self.manage(&session).await
            }
            (None, Visitor::SignedIn(session)) => match self.open(&session).await {
                Ok(record) => {
                    let filled = self.filled_before(&record, Some(&session));
                    let page = self.page_for(&record, Proof::Session(&session.submit), filled);
                    self.show(page, Some(&session))
                }
                Err(error) => self.failed(error, Some(&session)),
            },
            // A page that polls must neither sign the visitor in nor change a cookie.
            (None, Visitor::SignedOut(_)) if self.is_by_script() => {
                self.show(Page::SessionOver, None)
            }
            // Also where the visitor turned back on the way to Entra.
            (None, Visitor::SignedOut(_) | Visitor::Unknown) => {
                self.begin_again(sign_in, false).await
            }
        }
    }

    fn is_by_script(&self) -> bool {
        self.request.headers().get("sec-fetch-dest").is_some_and(|dest| dest == "empty")
    }

    /// Shows the possible changes (F-CHP-3), or the purchase itself where there are none.
    async fn manage(&self, session: &Session) -> Response {
        let opened = match self.open(session).await {
            Ok(record) => {
                let options = self.landing.purchases.change_options(&record).await;
                options.map(|options| (record, options))
            }
            Err(error) => Err(error),
        };
        match opened {
            Ok((_, options)) if options.is_empty() => {
                self.with_security_headers(see_other("/landing"))
            }
            Ok((record, options)) => {
                self.show(Page::Manage(&record, &options, &session.submit), Some(session))
            }
            Err(error) => self.failed(error, Some(session)),
        }
    }

    /// Shows a chosen change for confirmation. Once confirmed, it goes to Microsoft.
    async fn change(&self, session: &Session, form: &str) -> Result<Response, VisitError> {
        let record = self.open(session).await?;
        let purchases = &self.landing.purchases;
        let Some(request) = manage::parse(form) else {
            return Ok(self.show(Page::NotOffered, Some(session)));
        };
        let options = match purchases.choose(&record, &request).await? {
            Chosen::Offered(options) => options,
            Chosen::NotOffered => return Ok(self.show(Page::NotOffered, Some(session))),
            Chosen::Blocked => {
                return Ok(self.show(Page::Changed(ChangeOutcome::Refused), Some(session)));
            }
        };
        if value(form, "confirmed").as_deref() != Some("yes") {
            let page = Page::Change(&record, &options, &request, &session.submit);
            return Ok(self.show(page, Some(session)));
        }
        let outcome = purchases.request_change(record, &request).await?;
        Ok(self.show(Page::Changed(outcome), Some(session)))
    }

    async fn open(&self, session: &Session) -> Result<Record, VisitError> {
        let token = session.token().ok_or(VisitError::Token)?;
        self.landing.purchases.open(&token, Some(&session.person.account)).await
    }

    /// Handles a form. A redirect follows each change, so that reloading the page sends nothing twice.
    async fn submit(&self, sign_in: &SignIn) -> Response {
        let session = match sign_in.visitor(self.request.headers()).await {
            Ok(Visitor::SignedIn(session)) => session,
            Ok(Visitor::SignedOut(_)) => return self.show(Page::SessionOver, None),
            Ok(Visitor::Unknown) => return self.show(Page::NoToken, None),
            Err(error) => return self.not_signed_in(error),
        };
        let form = std::str::from_utf8(self.request.body()).unwrap_or_default();
        let is_ours =
            value(form, "submit").is_some_and(|submit| constant_time_eq(&submit, &session.submit));
        if !is_ours || !sign_in.is_own_form(self.request.headers()) {
            warn!("refused a form that is not from this session's pages");
            return self.show(Page::SessionOver, None);
        }
        let done = match self.request.uri().path() {
            MANAGE => self.change(&session, form).await,
            _ => self.confirm(&session, form).await,
        };
        done.unwrap_or_else(|error| self.failed(error, Some(&session)))
    }

    /// The buyer confirms. An incomplete form comes back. The form of a purchase that was confirmed
    /// before is ignored (F-LP-10).
    async fn confirm(&self, session: &Session, form: &str) -> Result<Response, VisitError> {
        let record = self.open(session).await?;
        let sign_up = match self.answers(&record, form) {
            Ok(sign_up) => sign_up,
            Err(filled) => {
                let page = self.page_for(&record, Proof::Session(&session.submit), filled);
                return Ok(self.show(page, Some(session)));
            }
        };
        self.landing.purchases.confirm(record, sign_up.as_ref()).await?;
        Ok(self.with_security_headers(see_other("/landing")))
    }

    /// Reads the buyer's answers, while they may still be given.
    fn answers(&self, record: &Record, form: &str) -> Result<Option<SignUp>, Filled> {
        let is_open =
            *record.status() == Status::PendingFulfillmentStart && record.activation.is_none();
        if !is_open {
            return Ok(None);
        }
        let asked = self.landing.pages.asked();
        let entered = Entered::read(form, asked);
        match entered.check(asked, self.language.code) {
            Ok(sign_up) => Ok(Some(sign_up)),
            Err(wrong) => Err(Filled { entered, wrong }),
        }
    }

    /// The contents of a new purchase's form when it is first shown.
    fn filled_before(&self, record: &Record, session: Option<&Session>) -> Filled {
        let asked = self.landing.pages.asked();
        let entered = match &record.sign_up {
            Some(sign_up) => Entered::before(sign_up, asked),
            None => {
                // The sign-in name is usually the buyer's e-mail address, so prefill it (F-LP-8).
                let username = session.and_then(|session| session.person.username.clone());
                let contact = username.filter(|name| is_email(name)).unwrap_or_default();
                Entered { contact, ..Entered::default() }
            }
        };
        Filled { entered, wrong: Vec::new() }
    }

    async fn begin(&self, sign_in: &SignIn, token: &PurchaseToken, choose: bool) -> Response {
        match sign_in.begin(token, choose, self.request.headers()).await {
            Ok(response) => self.with_security_headers(response),
            Err(error) => self.not_signed_in(error),
        }
    }

    /// Sends the visitor to Entra again, for the purchase in the cookies.
    async fn begin_again(&self, sign_in: &SignIn, choose: bool) -> Response {
        match sign_in.purchase(self.request.headers()).await {
            Ok(Some(token)) => self.begin(sign_in, &token, choose).await,
            Ok(None) => self.show(Page::NoToken, None),
            Err(error) => self.not_signed_in(error),
        }
    }

    fn not_signed_in(&self, error: SignInError) -> Response {
        let page = match error {
            SignInError::Untrusted(reason) => {
                warn!(%reason, "refused a sign-in");
                Page::SignInFailed
            }
            SignInError::Declined => {
                info!("a visitor declined to sign in");
                Page::Declined
            }
            SignInError::TooLong => {
                info!("a visit with a purchase token that is longer than any of Microsoft's");
                Page::Expired
            }
            SignInError::Unavailable(reason) => {
                error!(%reason, "could not sign a visitor in");
                Page::Unavailable
            }
        };
        self.show(page, None)
    }

    /// Without sign-in the token alone opens the purchase, and is part of the form. This is for
    /// development only, so a confirmation needs nothing but the token.
    async fn answer_without_sign_in(&self) -> Response {
        let (form, confirms) = match *self.request.method() {
            Method::GET => (self.request.uri().query().unwrap_or_default(), false),
            _ => (std::str::from_utf8(self.request.body()).unwrap_or_default(), true),
        };
        let Some(token) = PurchaseToken::from_query(form) else {
            return self.show(Page::NoToken, None);
        };
        let proof = Proof::Token(token.expose());
        let opened = match self.landing.purchases.open(&token, None).await {
            Ok(record) if confirms => {
                let answers = match value(form, CONTACT) {
                    Some(_) => self.answers(&record, form),
                    None => Ok(None),
                };
                match answers {
                    Ok(sign_up) => self.landing.purchases.confirm(record, sign_up.as_ref()).await,
                    Err(filled) => return self.show(self.page_for(&record, proof, filled), None),
                }
            }
            opened => opened,
        };
        match opened {
            Ok(record) => {
                let filled = self.filled_before(&record, None);
                self.show(self.page_for(&record, proof, filled), None)
            }
            Err(error) => self.failed(error, None),
        }
    }

    fn failed(&self, error: VisitError, session: Option<&Session>) -> Response {
        let page = match error {
            VisitError::Token => {
                info!("a visit with a purchase token that Microsoft does not accept");
                Page::Expired
            }
            VisitError::Stranger => {
                warn!("a visit by a person who is neither beneficiary nor purchaser");
                Page::Stranger
            }
            VisitError::ActivationRefused => {
                error!("Microsoft refused an activation");
                Page::Refused
            }
            error @ (VisitError::NoSubscription
            | VisitError::NoRecord
            | VisitError::Fulfillment(_)
            | VisitError::Activation(_)
            | VisitError::Update(_)
            | VisitError::Incomplete(_)) => {
                error!(reason = %error, "a visit failed");
                Page::Unavailable
            }
        };
        self.show(page, session)
    }

    /// The page for a purchase in this state (F-LP-11).
    fn page_for<'a>(&self, record: &'a Record, proof: Proof<'a>, filled: Filled) -> Page<'a> {
        match record.status() {
            Status::PendingFulfillmentStart if record.activation.is_some() => Page::Waiting(record),
            Status::PendingFulfillmentStart => {
                Page::Pending(record, proof, filled, self.landing.clock.now())
            }
            Status::Subscribed | Status::Suspended | Status::Unsubscribed | Status::Other(_) => {
                Page::Existing(record)
            }
        }
    }

    fn show(&self, page: Page<'_>, session: Option<&Session>) -> Response {
        self.landing.pages.show(page, self.language, session)
    }

    fn with_security_headers(&self, response: Response) -> Response {
        self.landing.pages.with_security_headers(response)
    }
}
