//! The landing page behind a gateway, without `LANDING_BASE_URL`: the event names the page's host.

use std::collections::BTreeMap;

use emulator::{Call, Purchase};
use landing::Landing;
use serde_json::{Value, json};
use shared::config::Dependencies;
use shared::host::environment::{ConfigError, Environment};
use shared::host::lambda::{self, Access};
use url::Url;

use crate::browser::Browser;
use crate::sign_in::env_with_sign_in;
use crate::test_env::TestEnv;

const ADELE: &str = "adele@contoso.example";

const GATEWAY: &str = "k7wq2m9xva.execute-api.eu-north-1.amazonaws.com";

/// The landing page as Lambda starts it, with some settings changed.
fn landing(env: &TestEnv, changes: &[(&str, &str)]) -> Result<Landing, ConfigError> {
    let mut variables = env.system.variables.clone();
    variables.remove("LANDING_BASE_URL");
    variables.extend(changes.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let dependencies = Dependencies::with_clock(&environment, env.system.clock.clone());
    Landing::behind_gateway(&environment, &dependencies.expect("the system's settings"))
}

/// A browser whose requests a gateway hands over as events.
struct Visitor<'a> {
    landing: &'a Landing,
    /// What the gateway says about the host that it was called by.
    gateway: Value,
    headers: Value,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    status: i64,
    location: String,
    body: String,
}

impl<'a> Visitor<'a> {
    fn at(landing: &'a Landing, host: &str) -> Self {
        let headers = json!({ "host": host, "accept": "text/html" });
        Self { landing, gateway: json!(host), headers, cookies: BTreeMap::new() }
    }

    async fn get(&mut self, target: &str) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let event = json!({
            "version": "2.0",
            "routeKey": format!("ANY {path}"),
            "rawPath": path,
            "rawQueryString": query,
            "cookies": cookies,
            "headers": self.headers,
            "requestContext": {
                "stage": "$default",
                "timeEpoch": 0,
                "domainName": self.gateway,
                "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1",
                          "sourceIp": "192.0.2.77", "userAgent": "a browser" }
            },
            "isBase64Encoded": false
        });
        let answer = lambda::answer(self.landing, Access::Public, &event.to_string()).await;
        let answer = serde_json::to_value(answer).expect("an answer is JSON");
        for cookie in answer["cookies"].as_array().into_iter().flatten() {
            let pair = cookie.as_str().and_then(|cookie| cookie.split(';').next());
            let (name, value) = pair.and_then(|pair| pair.split_once('=')).expect("a pair");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Answer {
            status: answer["statusCode"].as_i64().expect("a status"),
            location: text(&answer["headers"]["location"]),
            body: text(&answer["body"]),
        }
    }

    /// Opens Microsoft's link. Returns the address of the sign-in.
    async fn arrive(&mut self, env: &TestEnv, purchase: uuid::Uuid) -> Url {
        let token = env.world(|world| world.purchase_token(purchase)).replace('+', "%2B");
        let sent = self.get(&format!("/landing?token={token}")).await;
        Url::parse(&sent.location).expect("Entra's address")
    }

    /// Signs in, and returns the host that Entra sends the browser back to.
    async fn sign_in(&mut self, env: &TestEnv, purchase: uuid::Uuid) -> String {
        let entra = self.arrive(env, purchase).await;
        let back = Browser::new(env).pick(&entra, ADELE).await;
        let target = format!("{}?{}", back.path(), back.query().expect("a code"));
        assert_eq!(self.get(&target).await.location, "/landing");
        back.host_str().expect("a host").to_owned()
    }
}

fn redirect_uri(entra: &Url) -> String {
    let named = entra.query_pairs().find(|(name, _)| name == "redirect_uri");
    named.expect("a redirect URI").1.into_owned()
}

#[tokio::test]
async fn a_buyer_signs_in_at_the_host_that_the_gateway_names() {
    let env = env_with_sign_in().await;
    let landing = landing(&env, &[]).expect("the page starts without a base URL");
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut visitor = Visitor::at(&landing, GATEWAY);
    assert_eq!(visitor.sign_in(&env, id).await, GATEWAY);
    assert!(visitor.cookies.contains_key("__Host-landing-session"), "{:?}", visitor.cookies);
    let page = visitor.get("/landing").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Silver"), "{}", page.body);
}

#[tokio::test]
async fn no_header_decides_which_host_a_buyer_comes_back_to() {
    let env = env_with_sign_in().await;
    let landing = landing(&env, &[]).expect("the page starts");
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut visitor = Visitor::at(&landing, GATEWAY);
    visitor.headers = json!({
        "host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example",
        "origin": "https://evil.example", "referer": "https://evil.example/",
    });
    let entra = visitor.arrive(&env, id).await;
    assert_eq!(redirect_uri(&entra), format!("https://{GATEWAY}/landing/signed-in"));
}

#[tokio::test]
async fn a_session_at_one_host_opens_nothing_at_another() {
    let env = env_with_sign_in().await;
    let landing = landing(&env, &[]).expect("the page starts");
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut visitor = Visitor::at(&landing, GATEWAY);
    visitor.sign_in(&env, id).await;
    let mut elsewhere = Visitor::at(&landing, "signup.example.com");
    elsewhere.cookies.clone_from(&visitor.cookies);
    let page = elsewhere.get("/landing").await;
    assert!(!page.body.contains("Silver"), "{}", page.body);
    assert_eq!(
        redirect_uri(&elsewhere.arrive(&env, id).await),
        "https://signup.example.com/landing/signed-in"
    );
}

#[tokio::test]
async fn an_event_that_names_no_host_is_answered_with_an_error_before_microsoft_is_asked() {
    let env = env_with_sign_in().await;
    let landing = landing(&env, &[]).expect("the page starts");
    let id = env.purchase(Purchase::flat_rate("silver"));
    let token = env.world(|world| world.purchase_token(id)).replace('+', "%2B");
    for gateway in [Value::Null, json!(""), json!("evil.example/x"), json!("a@evil.example")] {
        let mut visitor = Visitor::at(&landing, GATEWAY);
        visitor.gateway = gateway;
        let answer = visitor.get(&format!("/landing?token={token}")).await;
        assert_eq!((answer.status, answer.location.as_str()), (500, ""));
        assert!(visitor.cookies.is_empty());
    }
    assert_eq!(env.calls(Call::Resolve), 0);
}

#[tokio::test]
async fn sign_in_cannot_be_off_where_a_gateway_names_the_host() {
    let env = TestEnv::new().await;
    let refused = landing(&env, &[("LANDING_SIGN_IN", "off")]).err().expect("it is refused");
    assert_eq!(refused.name, "LANDING_SIGN_IN");
}

#[tokio::test]
async fn with_a_cookie_key_of_its_own_a_session_outlives_the_apps_secret() {
    const KEY: (&str, &str) = ("LANDING_COOKIE_KEY", "q8Zr2vN5xT0cYb7JmWkD4sLhPfGaUe31");
    let env = env_with_sign_in().await;
    let page = |changes: &[(&str, &str)]| landing(&env, changes).expect("the page starts");
    let id = env.purchase(Purchase::flat_rate("silver"));
    let before = page(&[KEY]);
    let mut visitor = Visitor::at(&before, GATEWAY);
    visitor.sign_in(&env, id).await;
    let new_secret = ("LANDING_CLIENT_SECRET", "a-new-secret");
    let new_key = KEY.1.replace('q', "r");
    let both_keys = format!("{new_key} {}", KEY.1);
    for (after, opens) in [
        (page(&[KEY, new_secret]), true),
        (page(&[("LANDING_COOKIE_KEY", &both_keys), new_secret]), true),
        (page(&[("LANDING_COOKIE_KEY", &new_key), new_secret]), false),
        (page(&[]), false),
    ] {
        let mut later = Visitor::at(&after, GATEWAY);
        later.cookies.clone_from(&visitor.cookies);
        assert_eq!(later.get("/landing").await.body.contains("Silver"), opens);
    }
    let short = landing(&env, &[("LANDING_COOKIE_KEY", "hunter2-hunter2-hunter2")]);
    let refused = short.err().expect("it is too short");
    assert_eq!(refused.name, "LANDING_COOKIE_KEY");
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
}
