//! The staff console's sign-in at the emulated Entra, and the browsers of the publisher's staff.

use std::collections::BTreeMap;

use bytes::Bytes;
use emulator::{Call, FaultKind, Times};
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde_json::{Value, json};
use shared::config::{CONSOLE_BASE_URL, Dependencies};
use shared::host::environment::Environment;
use shared::host::http::Response;
use shared::host::origin::Origin;
use shared::sign_in::{NotStaff, Staff, StaffSignIn, StaffSignInAt};
use shared::store::KnownRefusals;
use url::Url;
use uuid::Uuid;

use crate::test_env::TestEnv;

/// The cookie of a person who is signing in at Entra.
pub(crate) const ROUND_TRIP: &str = "console";

/// The cookie of a signed-in person.
pub(crate) const SESSION: &str = "console-session";

/// The person who signs in.
pub(crate) const PERSON: Uuid = Uuid::from_u128(0x57aff);

pub(crate) const CLIENT: &str = "c0501e00-0000-4000-8000-000000000001";

/// The console's sign-in, with settings that a test may change.
pub(crate) struct Console<'a> {
    pub env: &'a TestEnv,
    variables: BTreeMap<String, String>,
    sign_in: StaffSignIn,
    origin: Origin,
}

/// The browser of one person.
#[derive(Clone, Default)]
pub(crate) struct StaffBrowser {
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Console<'a> {
    pub(crate) fn new(env: &'a TestEnv) -> Self {
        Self::with(env, &[])
    }

    pub(crate) fn with(env: &'a TestEnv, changes: &[(&str, &str)]) -> Self {
        let mut variables = env.system.variables.clone();
        let own = [
            ("CONSOLE_CLIENT_ID", CLIENT),
            ("CONSOLE_CLIENT_SECRET", "the-consoles-secret"),
            ("CONSOLE_BASE_URL", env.system.url()),
        ];
        for (name, value) in own.iter().chain(changes) {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        let settings = variables.clone();
        let environment = Environment::from_fn(move |name| settings.get(name).cloned());
        let clock = env.system.clock.clone();
        let dependencies = Dependencies::with_clock(&environment, clock.clone());
        let dependencies = dependencies.expect("the system's settings");
        let app = dependencies.microsoft.console_app(&environment).expect("the console's");
        let refusals = KnownRefusals::new(dependencies.refusals.clone(), clock.clone());
        let origin = CONSOLE_BASE_URL.read(&environment).expect("an origin");
        Self { env, variables, sign_in: StaffSignIn::new(app, refusals, clock), origin }
    }

    pub(crate) fn at(&self) -> StaffSignInAt<'_> {
        self.sign_in.at(self.origin.clone())
    }

    /// The publisher's directory.
    pub(crate) fn tenant(&self) -> &str {
        &self.variables["ENTRA_TENANT_ID"]
    }

    pub(crate) fn authority(&self) -> &str {
        &self.variables["ENTRA_AUTHORITY"]
    }

    /// Sends the browser to Entra. Returns the address there.
    pub(crate) async fn begin(&self, browser: &mut StaffBrowser, return_to: &str) -> Url {
        let sent = self.at().begin(return_to, &browser.headers()).await.expect("it begins");
        browser.keep(&sent);
        Url::parse(location(&sent)).expect("Entra's address")
    }

    /// The claims of a valid id token for a sign-in that began at this address.
    pub(crate) fn claims(&self, entra: &Url, roles: &[&str]) -> Value {
        let now = self.env.world(|world| world.now()).as_second();
        let mut claims = json!({
            "aud": self.variables["CONSOLE_CLIENT_ID"],
            "iss": format!("{}/{}/v2.0", self.authority(), self.tenant()), "tid": self.tenant(),
            "iat": now, "nbf": now, "exp": now + 3600, "ver": "2.0", "sub": "s", "oid": PERSON,
            "name": "Olof Operator", "preferred_username": "olof@publisher.example",
            "nonce": parameter(entra, "nonce"),
        });
        if !roles.is_empty() {
            claims["roles"] = json!(roles);
        }
        claims
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.env.microsoft().entra(|entra| entra.sign(claims))
    }

    /// Entra redirects back with this query, and answers the exchange of the code with this id token.
    pub(crate) async fn come_back(
        &self,
        browser: &mut StaffBrowser,
        query: &str,
        id_token: &str,
    ) -> Result<String, NotStaff> {
        let body = json!({ "token_type": "Bearer", "access_token": "x", "expires_in": 3600,
                           "id_token": id_token });
        self.finish_with(browser, query, Some(FaultKind::Garbage(body.to_string()))).await
    }

    /// The same with another answer to the exchange of the code; `None`: Entra's own.
    pub(crate) async fn finish_with(
        &self,
        browser: &mut StaffBrowser,
        query: &str,
        exchanged: Option<FaultKind>,
    ) -> Result<String, NotStaff> {
        self.env.world(|world| world.faults_mut().clear());
        if let Some(answer) = exchanged {
            self.env.fault(Call::Token, answer, Times::Once);
        }
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = format!("/console/signed-in?{query}").parse().expect("a path");
        *request.headers_mut() = browser.headers();
        let answer = self.at().finish(&request).await?;
        browser.keep(&answer);
        Ok(location(&answer).to_owned())
    }

    /// Signs a person in with these roles. Returns where the person goes on to.
    pub(crate) async fn sign_in(
        &self,
        browser: &mut StaffBrowser,
        return_to: &str,
        roles: &[&str],
    ) -> Result<String, NotStaff> {
        let entra = self.begin(browser, return_to).await;
        let id_token = self.sign(&self.claims(&entra, roles));
        self.come_back(browser, &answer_to(&entra, "a-code"), &id_token).await
    }

    pub(crate) async fn staff(&self, browser: &StaffBrowser) -> Option<Staff> {
        self.at().staff(&browser.headers()).await.expect("the key is there")
    }
}

impl StaffBrowser {
    pub(crate) fn headers(&self) -> HeaderMap {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = HeaderValue::try_from(cookies.join("; ")).expect("text");
        HeaderMap::from_iter([(COOKIE, cookies)])
    }

    pub(crate) fn keep(&mut self, answer: &Response) {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().expect("text").split(';').next();
            let (name, value) = pair.and_then(|pair| pair.split_once('=')).expect("a pair");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The address that an answer redirects to.
#[track_caller]
pub(crate) fn location(answer: &Response) -> &str {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[LOCATION].to_str().expect("text")
}

pub(crate) fn parameter(url: &Url, name: &str) -> String {
    let named = url.query_pairs().find(|(key, _)| key == name);
    named.expect("the parameter is there").1.into_owned()
}

/// The query of Entra's redirect back to the console.
pub(crate) fn answer_to(entra: &Url, code: &str) -> String {
    format!("code={code}&state={}", parameter(entra, "state"))
}
