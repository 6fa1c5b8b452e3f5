//! A headless browser. It keeps cookies and follows no redirect.

use std::collections::BTreeMap;

use http::StatusCode;
use reqwest::RequestBuilder;
use url::Url;
use uuid::Uuid;

use crate::test_env::{Answer, TestEnv};

/// The cookie of a buyer who is signing in at Entra.
pub(crate) const ROUND_TRIP: &str = "landing";

/// The cookie of a signed-in buyer.
pub(crate) const SESSION: &str = "landing-session";

/// A visitor's browser.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    env: &'a TestEnv,
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(env: &'a TestEnv) -> Self {
        Self { env, cookies: BTreeMap::new() }
    }

    /// Sends a request with the kept cookies, and keeps those of the answer.
    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = self.env.send(request.header("cookie", cookies.join("; "))).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie is text");
            let (name, value) =
                cookie.split(';').next().and_then(|it| it.split_once('=')).expect("a pair");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(self.env.http.get(self.env.url(path))).await
    }

    /// Follows Microsoft's link. Returns Entra's address for the sign-in.
    pub(crate) async fn arrive(&mut self, id: Uuid) -> Url {
        let link = self.env.world(|world| world.landing_link(id));
        let sent = self.send(self.env.http.get(link)).await;
        location(&sent)
    }

    /// Picks an account at Entra. Returns the address that Entra redirects to.
    pub(crate) async fn pick(&self, entra: &Url, email: &str) -> Url {
        let mut entra = entra.clone();
        entra.query_pairs_mut().append_pair("identity", email);
        let sent = self.env.send(self.env.http.get(entra)).await;
        assert_eq!(sent.status, StatusCode::FOUND, "{}", sent.body);
        Url::parse(sent.headers["location"].to_str().expect("text")).expect("an address")
    }

    /// Follows Entra's redirect back to the landing page.
    pub(crate) async fn come_back(&mut self, back: &Url) -> Answer {
        self.send(self.env.http.get(back.clone())).await
    }

    /// Follows Microsoft's link, and signs in.
    pub(crate) async fn sign_in(&mut self, id: Uuid, email: &str) {
        let entra = self.arrive(id).await;
        let back = self.pick(&entra, email).await;
        let answer = self.come_back(&back).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        assert_eq!(answer.headers["location"], "/landing");
    }

    /// Opens the landing page.
    pub(crate) async fn page(&mut self) -> Answer {
        self.get("/landing").await
    }

    /// Submits a form as the landing page does. Adds a contact address if the form has none.
    pub(crate) async fn submit(&mut self, form: &[(&str, &str)]) -> Answer {
        let mut form = form.to_vec();
        if !form.iter().any(|(name, _)| *name == "contact") {
            form.push(("contact", "adele@contoso.example"));
        }
        let request = self.env.http.post(self.env.url("/landing")).form(&form);
        self.send(request.header("sec-fetch-site", "same-origin").header("origin", "null")).await
    }

    /// Opens the page and presses its button. Returns the next page.
    pub(crate) async fn confirm(&mut self) -> Answer {
        let page = self.page().await;
        let submit = submit_token(&page);
        let answer = self.submit(&[("submit", &submit)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        assert_eq!(answer.headers["location"], "/landing");
        self.page().await
    }
}

/// The address that an answer redirects to.
#[track_caller]
pub(crate) fn location(answer: &Answer) -> Url {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    Url::parse(answer.headers["location"].to_str().expect("text")).expect("an address")
}

/// The token in a page's form.
#[track_caller]
pub(crate) fn submit_token(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"submit\" value=\"").expect("a form");
    rest.split('"').next().expect("a value").to_owned()
}
