//! A sign-up page of the publisher's own. `cargo local --sign-up-page` hands buyers over to it, and it is an
//! example: it accepts a handover once, shows who has come, and then activates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::extract::{Form, State};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing::post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde_json::Value;
use shared::host::clock::Clock;
use uuid::Uuid;

use crate::error::LocalError;
use crate::server::{Port, Server};
use crate::system::LocalSystem;

/// How far the clocks of the landing page and of this page may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// A running page. Stops when it is dropped.
pub struct SignUpPage {
    page: Arc<Page>,
    _server: Server,
}

struct Page {
    url: String,
    key: [u8; 32],
    functions: OnceLock<Functions>,
    accounts: Mutex<Accounts>,
}

/// Where buyers come from.
struct Functions {
    url: String,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Accounts {
    /// The ids of handovers that were used, each with the time at which it expires.
    used: HashMap<String, i64>,
    /// The claims of accepted handovers, by the session that each has begun.
    sessions: HashMap<String, Value>,
}

impl SignUpPage {
    /// Starts a page on a free port.
    pub async fn start() -> Result<Self, LocalError> {
        let port = Port::any("the sign-up page").await?;
        let mut key = [0; 32];
        let (one, other) = key.split_at_mut(16);
        one.copy_from_slice(Uuid::new_v4().as_bytes());
        other.copy_from_slice(Uuid::new_v4().as_bytes());
        let page = Arc::new(Page {
            url: port.url.clone(),
            key,
            functions: OnceLock::new(),
            accounts: Mutex::default(),
        });
        let routes =
            Router::new().route("/sign-up", post(sign_up)).route("/activate", post(activate));
        let routes = routes.with_state(page.clone());
        Ok(Self { page, _server: port.serve(routes) })
    }

    /// The functions' settings.
    pub fn settings(&self) -> [(String, String); 2] {
        let key = format!("whsec_{}", STANDARD.encode(self.page.key));
        let url = format!("{}/sign-up", self.page.url);
        [("LANDING_SIGN_UP_URL", url), ("HANDOVER_SIGNING_KEY", key)]
            .map(|(name, value)| (name.to_owned(), value))
    }

    /// From now on, buyers of this system are taken over.
    pub fn take_over_from(&self, system: &LocalSystem) {
        let functions = Functions { url: system.url().to_owned(), clock: system.clock.clone() };
        self.page.functions.get_or_init(|| functions);
    }
}

impl Page {
    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claims of a handover, or why it is refused.
    fn take(&self, token: &str, functions: &Functions) -> Result<Value, &'static str> {
        let (signed, signature) = token.rsplit_once('.').ok_or("it is no JWT")?;
        let (header, claims) = signed.split_once('.').ok_or("it is no JWT")?;
        // The algorithm is ours to choose, not the token's.
        let header = object(header).ok_or("it is no JWT")?;
        if header["alg"] != "HS256" || header.get("crit").is_some() {
            return Err("its algorithm is not HS256");
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "it is no JWT")?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        hmac::verify(&key, signed.as_bytes(), &signature)
            .map_err(|_| "the key hasn't signed it")?;
        let claims = object(claims).ok_or("it is no JWT")?;
        if claims["iss"] != functions.url || claims["aud"] != self.url {
            return Err("it is from another page, or for another one");
        }
        let time = |name| claims[name].as_i64().and_then(|at| Timestamp::from_second(at).ok());
        let now = functions.clock.now();
        let (Some(issued), Some(end)) = (time("iat"), time("exp")) else {
            return Err("it has no times");
        };
        if issued > now + SKEW || now >= end {
            return Err("it is not valid now");
        }
        let id = claims["jti"].as_str().ok_or("it has no id")?.to_owned();
        // Only now, so that a forgery can't use up an id.
        let mut accounts = self.accounts();
        accounts.used.retain(|_, end| *end > now.as_second());
        match accounts.used.insert(id, end.as_second()) {
            None => Ok(claims),
            Some(_) => Err("it was used before"),
        }
    }
}

fn object(part: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    value.is_object().then_some(value)
}

/// Takes a buyer over from the landing page. The session that begins here belongs to the person of the
/// handover alone.
async fn sign_up(
    State(page): State<Arc<Page>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let Some(functions) = page.functions.get() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let token = form.get("handover").map_or("", String::as_str);
    let claims = match page.take(token, functions) {
        Ok(claims) => claims,
        Err(reason) => {
            let landing = escaped(&format!("{}/landing", functions.url));
            let words = format!("<p>Refused: {reason}. <a href=\"{landing}\">Try again</a></p>");
            return (StatusCode::UNAUTHORIZED, document(&words)).into_response();
        }
    };
    let session = Uuid::new_v4().to_string();
    let shown = escaped(&format!("{claims:#}"));
    let name = escaped(claims["person"]["name"].as_str().unwrap_or("a buyer"));
    page.accounts().sessions.insert(session.clone(), claims);
    let form = format!(
        "<p>Welcome, {name}. This is what the landing page says:</p><pre>{shown}</pre>\
         <form method=\"post\" action=\"/activate\">\
         <input type=\"hidden\" name=\"session\" value=\"{session}\">\
         <button>Set the account up and activate</button></form>"
    );
    document(&form).into_response()
}

/// Sets nothing up, as a product would, and activates.
async fn activate(
    State(page): State<Arc<Page>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let session = form.get("session").map_or("", String::as_str);
    let claims = page.accounts().sessions.remove(session);
    let (Some(claims), Some(functions)) = (claims, page.functions.get()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let id = claims["subscriptionId"].as_str().unwrap_or_default();
    let call =
        reqwest::Client::new().post(format!("{}/subscriptions/{id}/activate", functions.url));
    match call.send().await {
        Ok(answer) if answer.status().is_success() => {
            let landing = escaped(&format!("{}/landing", functions.url));
            let words = format!(
                "<p>The account is set up. <a href=\"{landing}\">Back to the purchase</a></p>"
            );
            document(&words).into_response()
        }
        Ok(_) | Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn document(content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Your product</title>\
         <h1>Your product: sign up</h1>{content}</html>"
    ))
}

fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '&' | '<' | '>' | '"' | '\'' => format!("&#{};", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}
