//! Requests of the visitors' browsers, with sign-in on.

use std::sync::Arc;

use bytes::Bytes;
use emulator::{ApiRequest, Person};
use http::{Method, Response};
use shared::domain::Account;
use url::Url;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::{Purpose, Run};
use crate::browser::{Browser, Step, Visit};
use crate::invariants;
use crate::transport::ENTRA;

impl Run {
    /// The place of the browser with which a person opens a subscription.
    pub(crate) fn browser(&mut self, person: &Person, id: Uuid) -> usize {
        let known = self.browsers.iter().position(|one| one.id == id && one.person == *person);
        known.unwrap_or_else(|| {
            self.browsers.push(Browser::new(person.clone(), id));
            self.browsers.len() - 1
        })
    }

    /// Opens a page. To arrive is to follow a new link of Microsoft's.
    pub(crate) fn look(&mut self, browser: usize, step: Step) {
        let address = match step {
            Step::Arrive => {
                let id = self.browsers[browser].id;
                let token = self.io.world(|world| world.purchase_token(id));
                let query = Serializer::new(String::new()).append_pair("token", &token).finish();
                format!("/landing?{query}")
            }
            Step::OfferChanges => "/landing/manage".to_owned(),
            Step::SignInAsGuest => "/landing/sign-in/organization".to_owned(),
            _ => "/landing".to_owned(),
        };
        self.visit(browser, step, Method::GET, &address, String::new());
    }

    /// Sends a form of the session's pages, or a forged one. Without a session, arrives instead.
    pub(crate) fn submit(
        &mut self,
        browser: usize,
        step: Step,
        fields: &[(&str, &str)],
        is_forged: bool,
    ) {
        let Some(token) = self.browsers[browser].form_token() else {
            return self.look(browser, Step::Arrive);
        };
        let token = if is_forged { "of-another-session" } else { token };
        let mut form = Serializer::new(String::new());
        form.append_pair("submit", token).extend_pairs(fields);
        let address = match step {
            Step::Change { .. } => "/landing/manage",
            Step::SignOut => "/landing/sign-out",
            _ => "/landing",
        };
        let account = self.account(browser).filter(|_| !is_forged);
        self.visit_as(browser, account, step, Method::POST, address, form.finish());
    }

    fn account(&self, browser: usize) -> Option<Account> {
        self.browsers[browser].account(self.io.now())
    }

    fn visit(&mut self, browser: usize, step: Step, method: Method, address: &str, form: String) {
        let account = self.account(browser);
        self.visit_as(browser, account, step, method, address, form);
    }

    fn visit_as(
        &mut self,
        browser: usize,
        account: Option<Account>,
        step: Step,
        method: Method,
        address: &str,
        form: String,
    ) {
        let request = self.browsers[browser].request(method, address, form);
        let visit = Visit { browser, id: self.browsers[browser].id, account, step };
        if visit.step == Step::Confirm
            && invariants::may_see(&self.io, &visit)
            && !self.choices.by_publisher
        {
            self.activation_requested.insert(visit.id);
        }
        self.start(Purpose::Browse(Arc::new(visit)), request);
    }

    /// Checks the answer to a browser, which then follows the redirect in it.
    pub(super) fn visit_answered(&mut self, visit: &Visit, answer: &Response<Bytes>) {
        invariants::check_page(&self.io, visit, answer);
        let now = self.io.now();
        let redirect = self.browsers[visit.browser].keep(&visit.step, answer, now);
        let Some(to) = redirect else { return };
        if to.as_str().starts_with(ENTRA) {
            return self.sign_in(visit.browser, to);
        }
        if visit.step == Step::Confirm
            && to.path() == "/landing"
            && invariants::may_see(&self.io, visit)
            && !self.choices.by_publisher
        {
            self.confirmed.insert(visit.id);
        }
        if to.path() == "/landing" {
            self.look(visit.browser, Step::Look);
        }
    }

    /// The person signs in at Entra, which sends the browser back.
    fn sign_in(&mut self, browser: usize, mut to: Url) {
        let tenant = to.path_segments().and_then(|mut parts| parts.next()).unwrap_or_default();
        let account = self.browsers[browser].account_at(tenant);
        let email = self.browsers[browser].person.email.clone();
        to.query_pairs_mut().append_pair("identity", &email);
        let target = format!("{}?{}", to.path(), to.query().unwrap_or_default());
        let answer = self.io.world(|world| {
            world.entra_call(&ApiRequest::new(Method::GET, &target)).reply().cloned()
        });
        // A directory that doesn't know the person shows an error, and no redirect.
        let location = answer.and_then(|reply| {
            let (_, location) = reply.headers.into_iter().find(|(name, _)| name == "location")?;
            Url::parse(location.to_str().ok()?).ok()
        });
        let Some(back) = location else { return };
        self.io.count("person: signs in");
        let address = format!("{}?{}", back.path(), back.query().unwrap_or_default());
        self.visit(browser, Step::ComeBack(account), Method::GET, &address, String::new());
    }
}
