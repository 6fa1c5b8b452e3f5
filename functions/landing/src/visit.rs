//! One visit, from a request to its answer.

use http::Method;
use shared::config::is_email;
use shared::domain::{Record, SignUp, Status};
use shared::fulfillment::PurchaseToken;
use shared::http::{Request, Response};
use tracing::{error, info, warn};

use crate::form::{CONTACT, Entered};
use crate::language::Language;
use crate::manage::Wanted;
use crate::page::{Filled, Page, Proof};
use crate::purchase::Failure;
use crate::sign_in::{
    SIGN_IN, SIGNED_IN, Session, SignIn, SignInError, Visitor, same, see_other, value,
};
use crate::{Landing, MANAGE};

/// A request, and whoever is to read the answer.
pub struct Visit<'a> {
    /// What the function may touch.
    pub landing: &'a Landing,
    /// What the visitor reads.
    pub language: &'a Language,
    /// The request.
    pub request: &'a Request,
}

impl Visit<'_> {
    /// The answer.
    pub async fn answer(&self) -> Response {
        match (&self.landing.sign_in, self.request.uri().path()) {
            (Some(sign_in), SIGNED_IN) => match sign_in.finish(self.request).await {
                Ok(response) => self.seal(response),
                Err(error) => self.not_signed_in(error),
            },
            (Some(sign_in), SIGN_IN) => self.begin_again(sign_in, true).await,
            (Some(sign_in), _) => match *self.request.method() {
                Method::GET => self.look(sign_in).await,
                _ => self.submit(sign_in).await,
            },
            (None, SIGNED_IN | SIGN_IN | MANAGE) => self.seal(see_other("/landing")),
            (None, _) => self.answer_anybody().await,
        }
    }

    /// A visit: with a token, the way to Entra; signed in, what was bought and where it stands
    /// (F-LP-3, F-LP-5, F-LP-11).
    async fn look(&self, sign_in: &SignIn) -> Response {
        let visitor = match sign_in.visitor(self.request.headers()).await {
            Ok(visitor) => visitor,
            Err(error) => return self.not_signed_in(error),
        };
        let token = PurchaseToken::from_query(self.request.uri().query().unwrap_or_default());
        match (token, visitor) {
            // The address is to hold the token no longer than it takes to get here.
            (Some(token), Visitor::SignedIn(session)) if session.is_about(&token) => {
                self.seal(see_other("/landing"))
            }
            (Some(token), _) => self.begin(sign_in, &token, false).await,
            (None, Visitor::SignedIn(session)) if self.request.uri().path() == MANAGE => {
                self.manage(&session).await
            }
            (None, Visitor::SignedIn(session)) => match self.open(&session).await {
                Ok(record) => {
                    let filled = self.filled_before(&record, Some(&session));
                    let page = self.of(&record, Proof::Session(&session.submit), filled);
                    self.show(page, Some(&session))
                }
                Err(failure) => self.failed(failure, Some(&session)),
            },
            // A page that looks again by itself signs nobody in, and changes no cookie.
            (None, Visitor::SignedOut(_)) if self.is_by_script() => {
                self.show(Page::SessionOver, None)
            }
            // Also where somebody turned back on the way to Entra.
            (None, Visitor::SignedOut(_) | Visitor::Unknown) => {
                self.begin_again(sign_in, false).await
            }
        }
    }

    fn is_by_script(&self) -> bool {
        self.request.headers().get("sec-fetch-dest").is_some_and(|dest| dest == "empty")
    }

    /// What the customer may change (F-CHP-3); where that is nothing, the purchase itself.
    async fn manage(&self, session: &Session) -> Response {
        let offered = match self.open(session).await {
            Ok(record) => {
                self.landing.purchases.offered(&record).await.map(|offered| (record, offered))
            }
            Err(failure) => Err(failure),
        };
        match offered {
            Ok((_, offered)) if offered.is_empty() => self.seal(see_other("/landing")),
            Ok((record, offered)) => {
                self.show(Page::Manage(&record, &offered, &session.submit), Some(session))
            }
            Err(failure) => self.failed(failure, Some(session)),
        }
    }

    /// A change that was chosen is shown once more; confirmed, it goes to Microsoft.
    async fn change(&self, session: &Session, form: &str) -> Result<Response, Failure> {
        let record = self.open(session).await?;
        let purchases = &self.landing.purchases;
        let offered = purchases.offered(&record).await?;
        let Some(wanted) = Wanted::parse(form).filter(|wanted| wanted.is_in(&offered)) else {
            return Ok(self.show(Page::NotOffered, Some(session)));
        };
        if value(form, "confirmed").as_deref() != Some("yes") {
            let page = Page::Change(&record, &offered, &wanted, &session.submit);
            return Ok(self.show(page, Some(session)));
        }
        let outcome = purchases.change(record, &wanted).await?;
        Ok(self.show(Page::Changed(outcome), Some(session)))
    }

    async fn open(&self, session: &Session) -> Result<Record, Failure> {
        let token = session.token().ok_or(Failure::Token)?;
        self.landing.purchases.open(&token, Some(&session.person.account)).await
    }

    /// A form of ours comes back. Whatever it changes, a redirect follows, so that loading the page
    /// again sends nothing twice.
    async fn submit(&self, sign_in: &SignIn) -> Response {
        let session = match sign_in.visitor(self.request.headers()).await {
            Ok(Visitor::SignedIn(session)) => session,
            Ok(Visitor::SignedOut(_)) => return self.show(Page::SessionOver, None),
            Ok(Visitor::Unknown) => return self.show(Page::NoToken, None),
            Err(error) => return self.not_signed_in(error),
        };
        let form = std::str::from_utf8(self.request.body()).unwrap_or_default();
        let is_ours = value(form, "submit").is_some_and(|submit| same(&submit, &session.submit));
        if !is_ours || !sign_in.is_own_form(self.request.headers()) {
            warn!("a form that is not of this session's pages");
            return self.show(Page::SessionOver, None);
        }
        let done = match self.request.uri().path() {
            MANAGE => self.change(&session, form).await,
            _ => self.confirm(&session, form).await,
        };
        done.unwrap_or_else(|failure| self.failed(failure, Some(&session)))
    }

    /// The buyer confirms. A form with something missing comes back; one whose purchase is past
    /// confirming is not looked at (F-LP-10).
    async fn confirm(&self, session: &Session, form: &str) -> Result<Response, Failure> {
        let record = self.open(session).await?;
        let sign_up = match self.told(&record, form) {
            Ok(sign_up) => sign_up,
            Err(filled) => {
                let page = self.of(&record, Proof::Session(&session.submit), filled);
                return Ok(self.show(page, Some(session)));
            }
        };
        self.landing.purchases.confirm(record, sign_up.as_ref()).await?;
        Ok(self.seal(see_other("/landing")))
    }

    /// What the buyer told with a confirmation, where it is still asked for.
    fn told(&self, record: &Record, form: &str) -> Result<Option<SignUp>, Filled> {
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

    /// What stands in the form of a new purchase when it is first seen.
    fn filled_before(&self, record: &Record, session: Option<&Session>) -> Filled {
        let asked = self.landing.pages.asked();
        let entered = match &record.sign_up {
            Some(sign_up) => Entered::before(sign_up, asked),
            None => {
                // What somebody signs in with mostly is an address of theirs (F-LP-8).
                let username = session.and_then(|session| session.person.username.clone());
                let contact = username.filter(|name| is_email(name)).unwrap_or_default();
                Entered { contact, ..Entered::default() }
            }
        };
        Filled { entered, wrong: Vec::new() }
    }

    async fn begin(&self, sign_in: &SignIn, token: &PurchaseToken, choose: bool) -> Response {
        match sign_in.begin(token, choose, self.request.headers()).await {
            Ok(response) => self.seal(response),
            Err(error) => self.not_signed_in(error),
        }
    }

    /// The way to Entra once more, with the purchase that is at hand.
    async fn begin_again(&self, sign_in: &SignIn, choose: bool) -> Response {
        match sign_in.purchase(self.request.headers()).await {
            Ok(Some(token)) => self.begin(sign_in, &token, choose).await,
            Ok(None) => self.show(Page::NoToken, None),
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
        self.show(page, None)
    }

    /// The same without a sign-in: the token alone opens the purchase, and stands in the form. Since
    /// this is for development alone, a confirmation needs nothing but the token.
    async fn answer_anybody(&self) -> Response {
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
                let told = match value(form, CONTACT) {
                    Some(_) => self.told(&record, form),
                    None => Ok(None),
                };
                match told {
                    Ok(sign_up) => self.landing.purchases.confirm(record, sign_up.as_ref()).await,
                    Err(filled) => return self.show(self.of(&record, proof, filled), None),
                }
            }
            opened => opened,
        };
        match opened {
            Ok(record) => {
                let filled = self.filled_before(&record, None);
                self.show(self.of(&record, proof, filled), None)
            }
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
        self.show(page, session)
    }

    /// The page for where a purchase stands (F-LP-11).
    fn of<'a>(&self, record: &'a Record, proof: Proof<'a>, filled: Filled) -> Page<'a> {
        match record.status() {
            Status::PendingFulfillmentStart if record.activation.is_some() => Page::Waiting(record),
            Status::PendingFulfillmentStart => {
                Page::Pending(record, proof, filled, self.landing.system.now())
            }
            Status::Subscribed | Status::Suspended | Status::Unsubscribed | Status::Other(_) => {
                Page::Existing(record)
            }
        }
    }

    fn show(&self, page: Page<'_>, session: Option<&Session>) -> Response {
        self.landing.pages.show(page, self.language, session)
    }

    fn seal(&self, response: Response) -> Response {
        self.landing.pages.seal(response)
    }
}
