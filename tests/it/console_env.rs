//! The staff's browser at the console.

use std::collections::BTreeMap;
use std::fmt::Display;

use emulator::Purchase;
use http::StatusCode;
use reqwest::RequestBuilder;
use url::Url;

use crate::test_env::{Answer, TestEnv};

pub(crate) const VIEWER: &str = "vera@fabrikam.example";
pub(crate) const OPERATOR: &str = "olof@fabrikam.example";
pub(crate) const ADMIN: &str = "ada@fabrikam.example";

/// What the tests of the console buy.
pub(crate) fn team() -> Purchase {
    Purchase::per_seat("team", 12).named("Fleet of twelve")
}

/// The page of a subscription.
pub(crate) fn page_of(id: impl Display) -> String {
    format!("/console/subscriptions/{id}")
}

#[track_caller]
pub(crate) fn shows(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text} in {page}");
    }
}

/// A browser that keeps cookies and follows no redirect.
#[derive(Clone)]
pub(crate) struct Desk<'a> {
    pub env: &'a TestEnv,
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(env: &'a TestEnv) -> Self {
        Self { env, cookies: BTreeMap::new() }
    }

    /// A browser in which this person has signed in.
    pub(crate) async fn of(env: &'a TestEnv, email: &str) -> Self {
        let mut desk = Self::new(env);
        let back = desk.sign_in("/console", email).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
        assert_eq!(back.headers["location"], "/console");
        desk
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.env.system.console_url().expect("a console"))
    }

    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = self.env.send(request.header("cookie", cookies.join("; "))).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie is text");
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a pair");
            match value {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    /// Opens a page, is sent to Entra, picks the account, and comes back.
    pub(crate) async fn sign_in(&mut self, path: &str, email: &str) -> Answer {
        let sent = self.get(path).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
        let mut entra = address(&sent);
        entra.query_pairs_mut().append_pair("identity", email);
        let picked = self.env.send(self.env.http.get(entra)).await;
        assert_eq!(picked.status, StatusCode::FOUND, "{}", picked.body);
        self.send(self.env.http.get(address(&picked))).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(self.env.http.get(self.url(path))).await
    }

    /// Opens a page that must be there. Blanks that don't break are ordinary ones in its text.
    pub(crate) async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.body.replace('\u{a0}', " ")
    }

    /// Sends a form as a page of the console does.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.env.http.post(self.url(path)).form(form);
        self.send(request.header("sec-fetch-site", "same-origin")).await
    }

    /// The hidden fields of an act's page.
    pub(crate) async fn hidden(&mut self, path: &str) -> BTreeMap<String, String> {
        hidden_fields(&self.page(path).await)
    }

    /// Opens an act's page, fills its form in, and sends it.
    pub(crate) async fn act(&mut self, path: &str, answers: &[(&str, &str)]) -> Answer {
        let mut fields = self.hidden(path).await;
        fields.extend(answers.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let form: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let path = path.split('?').next().unwrap_or(path);
        self.post(path, &form).await
    }
}

fn address(answer: &Answer) -> Url {
    Url::parse(answer.headers["location"].to_str().expect("text")).expect("an address")
}

/// The hidden fields of a page's last form; the first one is that of the sign-out.
fn hidden_fields(page: &str) -> BTreeMap<String, String> {
    let form = page.rsplit("<form").next().expect("a form");
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    inputs
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").expect("a value");
            let value = rest.split('"').next().expect("its end");
            (name.to_owned(), value.to_owned())
        })
        .collect()
}
