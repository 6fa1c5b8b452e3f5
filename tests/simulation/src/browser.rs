//! A visitor's browser: it keeps the landing page's cookies, and knows who signed in.

use std::collections::BTreeMap;

use bytes::Bytes;
use emulator::Person;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};
use shared::domain::Account;
use shared::flows::request_change::ChangeRequest;
use url::Url;
use uuid::Uuid;

/// The cookie of a session.
const SESSION: &str = "landing-session";

/// How long a session lasts.
const SESSION_TIME: SignedDuration = SignedDuration::from_hours(1);

pub(crate) struct Browser {
    pub(crate) person: Person,
    /// The subscription that it opens.
    pub(crate) id: Uuid,
    cookies: BTreeMap<String, String>,
    /// The account that is signed in, and since when.
    session: Option<(Account, Timestamp)>,
    /// The hidden field in the forms of the session's pages.
    form_token: Option<String>,
}

/// One request of a browser.
#[derive(Debug)]
pub(crate) struct Visit {
    /// The browser's place among the run's browsers.
    pub(crate) browser: usize,
    pub(crate) id: Uuid,
    /// Who may act: the account that is signed in. `None` without a session, and with a form that is
    /// not from the session's pages.
    pub(crate) account: Option<Account>,
    pub(crate) step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Follows Microsoft's link.
    Arrive,
    /// Follows Entra's redirect, once Entra has signed this account in.
    ComeBack(Account),
    Look,
    OfferChanges,
    /// Asks to sign in to the directory that the purchase was made in.
    SignInAsGuest,
    SignOut,
    Confirm,
    Change {
        wanted: ChangeRequest,
        is_confirmed: bool,
    },
}

impl Browser {
    pub(crate) fn new(person: Person, id: Uuid) -> Self {
        Self { person, id, cookies: BTreeMap::new(), session: None, form_token: None }
    }

    /// The account that is signed in now.
    pub(crate) fn account(&self, now: Timestamp) -> Option<Account> {
        let (account, since) = self.session?;
        (now.duration_since(since) < SESSION_TIME).then_some(account)
    }

    pub(crate) fn form_token(&self) -> Option<&str> {
        self.form_token.as_deref()
    }

    /// The account that Entra signs the person in with at a tenant, or for several tenants at once
    /// (F-LP-14).
    pub(crate) fn account_at(&self, tenant: &str) -> Account {
        let Person { tenant_id, object_id, home, .. } = self.person;
        let is_here = tenant == tenant_id.to_string();
        let (tenant_id, object_id) = home.filter(|_| !is_here).unwrap_or((tenant_id, object_id));
        Account { tenant_id, object_id: Some(object_id) }
    }

    pub(crate) fn request(&self, method: Method, address: &str, form: String) -> Request<Bytes> {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(address);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        request.body(Bytes::from(form)).expect("an encoded address")
    }

    /// Keeps an answer's cookies and hidden field. Returns the address that it redirects to.
    pub(crate) fn keep(
        &mut self,
        step: &Step,
        answer: &Response<Bytes>,
        now: Timestamp,
    ) -> Option<Url> {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().ok().and_then(|cookie| cookie.split(';').next());
            let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) else { continue };
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            if name == SESSION {
                self.form_token = None;
                self.session = match step {
                    Step::ComeBack(account) if !value.is_empty() => Some((*account, now)),
                    _ => None,
                };
            }
        }
        let body = std::str::from_utf8(answer.body()).unwrap_or_default();
        if let Some((_, rest)) = body.split_once("name=\"submit\" value=\"") {
            self.form_token = rest.split('"').next().map(str::to_owned);
        }
        let location = answer.headers().get(LOCATION)?.to_str().ok()?;
        Url::parse("http://localhost").ok()?.join(location).ok()
    }
}
