//! The landing page with sign-in, and a buyer who has signed in.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use landing::Landing;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use shared::host::http::Handler;

use crate::sign_in::{PERSON, claims, published};
use crate::table::Table;
use crate::{
    ACCESS_TOKEN, APP, DYNAMODB, ENTRA, Responses, SUBSCRIPTION, TENANT, Wire, dependencies, key,
    run, status,
};

/// The page's origin.
pub const ORIGIN: &str = "https://signup.example";

/// The buyer's purchase token.
pub const PURCHASE: &str = "purchase+token/of=";

/// The cookie of a sign-in that has begun.
pub const TRIP: &str = "__Host-landing";

/// The cookie of a session.
pub const SESSION: &str = "__Host-landing-session";

/// A page, and everything that the buyer's browser received from it.
pub struct Page {
    pub wire: Arc<Wire>,
    pub landing: Landing,
    /// The value of the sign-in cookie.
    pub trip: String,
    /// The sign-in's `state`.
    pub state: String,
    /// Entra's answer to the exchange of this sign-in's code.
    pub exchanged: Value,
    /// The value of the session cookie.
    pub session: String,
    /// The `submit` field of the session's forms.
    pub submit: String,
}

pub fn page() -> &'static Page {
    static PAGE: OnceLock<Page> = OnceLock::new();
    PAGE.get_or_init(|| Page::with_secret("the-landing-secret"))
}

/// A page with another client secret.
pub fn strange_page() -> &'static Page {
    static PAGE: OnceLock<Page> = OnceLock::new();
    PAGE.get_or_init(|| Page::with_secret("another-secret"))
}

impl Page {
    fn with_secret(secret: &'static str) -> Self {
        let wire = Wire::answering(status(StatusCode::NOT_FOUND));
        let mut page = Self {
            landing: landing(&wire, secret),
            wire,
            trip: String::new(),
            state: String::new(),
            exchanged: Value::Null,
            session: String::new(),
            submit: String::new(),
        };
        page.sign_in();
        page
    }

    /// Goes from Microsoft's link through the sign-in to the page with the form.
    fn sign_in(&mut self) {
        let encoded = PURCHASE.replace('+', "%2B");
        let departure = self.get(&format!("/landing?token={encoded}"), &[]);
        self.trip = cookie(departure.headers(), TRIP).expect("a cookie for the way");
        let to = departure.headers()[LOCATION].to_str().expect("text").to_owned();
        let parameter = |name: &str| {
            let (_, query) = to.split_once('?').expect("a query");
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
            let value = values.next().expect("it is there");
            percent_decode_str(value).decode_utf8().expect("text").into_owned()
        };
        self.state = parameter("state");
        let claims = claims(&parameter("nonce")).to_string();
        let id_token = key().sign(key().header().to_string().as_bytes(), claims.as_bytes());
        self.exchanged = json!({
            "token_type": "Bearer", "scope": "openid profile email", "expires_in": 3599,
            "access_token": "token-of-the-buyer", "id_token": id_token,
        });
        let back = format!("/landing/signed-in?code=the-code&state={}", self.state);
        let arrival = self.get(&back, &[(TRIP, &self.trip)]);
        self.session = cookie(arrival.headers(), SESSION).expect("a cookie for the session");
        let shown = self.get("/landing", &[(SESSION, &self.session)]);
        let shown = std::str::from_utf8(shown.body()).expect("text");
        let (_, rest) = shown.split_once(r#"name="submit" value=""#).expect("a form");
        self.submit = rest.split('"').next().expect("a value").to_owned();
    }

    fn get(&self, to: &str, cookies: &[(&str, &str)]) -> Response<Bytes> {
        self.wire.reset(self.healthy());
        let mut headers = HeaderMap::new();
        for (name, value) in cookies {
            let cookie = HeaderValue::from_str(&format!("{name}={value}")).expect("text");
            headers.append(COOKIE, cookie);
        }
        self.visit(Method::GET, to.parse().expect("an address"), headers, Bytes::new())
    }

    pub fn visit(
        &self,
        method: Method,
        to: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = to;
        *request.headers_mut() = headers;
        run(self.landing.handle(request))
    }

    /// Answers that let everything work, with an empty table.
    pub fn healthy(&self) -> Responses {
        let mut exchanged = Response::new(Bytes::from(self.exchanged.to_string()));
        let media_type = HeaderValue::from_static("application/json; charset=utf-8");
        exchanged.headers_mut().insert(CONTENT_TYPE, media_type);
        self.answering_codes(exchanged)
    }

    /// The same answers, except for the exchange of a code.
    pub fn answering_codes(&self, exchanged: Response<Bytes>) -> Responses {
        let table = Table::default();
        Box::new(move |request| {
            let uri = request.uri().to_string();
            if uri == format!("{ENTRA}/common/oauth2/v2.0/token") {
                exchanged.clone()
            } else if uri.starts_with(DYNAMODB) {
                table.answer(request)
            } else if uri.starts_with(ENTRA) && request.method() == Method::POST {
                let token = format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":"3599"}}"#);
                Response::new(token.into())
            } else if uri.starts_with(ENTRA) {
                published(request)
            } else {
                microsoft(request)
            }
        })
    }
}

fn landing(wire: &Arc<Wire>, secret: &'static str) -> Landing {
    let (environment, dependencies) = dependencies(wire, move |name| {
        Some(match name {
            "LANDING_CLIENT_ID" => APP.to_string(),
            "LANDING_CLIENT_SECRET" => secret.to_owned(),
            "LANDING_BASE_URL" => ORIGIN.to_owned(),
            _ => return None,
        })
    });
    Landing::new(&environment, &dependencies).expect("complete settings")
}

/// Microsoft's answers about a purchase that is not active yet.
fn microsoft(request: &Request<Bytes>) -> Response<Bytes> {
    let purchase = json!({
        "id": SUBSCRIPTION, "publisherId": "northwind", "offerId": "northwind-crm",
        "name": "Sales team", "planId": "silver", "quantity": 10,
        "saasSubscriptionStatus": "PendingFulfillmentStart", "term": { "termUnit": "P1M" },
        "beneficiary": { "tenantId": TENANT, "objectId": PERSON },
    });
    let path = request.uri().path();
    if path.ends_with("/activate") {
        return status(StatusCode::OK);
    }
    let answer = match path.ends_with("/resolve") {
        true => json!({ "id": SUBSCRIPTION, "subscription": purchase }),
        false => purchase,
    };
    Response::new(answer.to_string().into())
}

/// The value of a cookie that an answer sets.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = set.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
    pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}
