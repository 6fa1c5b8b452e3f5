//! T-16, continued: the webhook's handler without a server, which would refuse some tokens itself,
//! and with a record of every request that it makes (F-WHJ-4, F-WHJ-6).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use emulator::{Forgery, TokenVersion};
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;
use shared::config::{Dependencies, Microsoft, table};
use shared::host::environment::Environment;
use shared::host::http::{Handler, Request};
use shared::host::http_client::{HttpClient, SendError, Transport};
use webhook::Webhook;

use crate::token::{VERSIONS, WebhookEnv};

const MEGABYTE: usize = 1024 * 1024;

/// Records the URL of every request to Entra, the marketplace and the table.
#[derive(Debug, Default)]
struct Recorder {
    https: HttpClient,
    urls: Mutex<Vec<String>>,
}

impl Recorder {
    fn urls(&self) -> Vec<String> {
        self.urls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        let uri = request.uri().to_string();
        self.urls.lock().unwrap_or_else(PoisonError::into_inner).push(uri);
        self.https.send(request, timeout).await
    }
}

/// A second webhook on the same table and marketplace, just started.
struct BareHandler {
    webhook: Webhook,
    recorder: Arc<Recorder>,
    body: String,
}

impl BareHandler {
    fn beside(webhook_env: &WebhookEnv) -> Self {
        let recorder = Arc::new(Recorder::default());
        let transport: Arc<dyn Transport> = recorder.clone();
        let variables = webhook_env.env.system.variables.clone();
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let clock = webhook_env.env.system.clock.clone();
        let table = table(&environment, &transport, clock.clone()).expect("the system's settings");
        let dependencies = Dependencies {
            microsoft: Microsoft::read(&environment, &transport).expect("the system's settings"),
            store: table.clone(),
            checkpoints: table.clone(),
            due_work: table.clone(),
            runs: table.clone(),
            refusals: table.clone(),
            sightings: table.clone(),
            erasures: table.clone(),
            outbox: table.clone(),
            receiver_states: table.clone(),
            annotations: table.clone(),
            offer_settings: table,
            transport,
            clock,
        };
        let webhook = Webhook::new(&environment, &dependencies).expect("the system's settings");
        Self { webhook, recorder, body: webhook_env.body.clone() }
    }

    async fn call_with(&self, token: &str) -> shared::host::http::Response {
        let mut request = Request::new(Bytes::from(self.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("/webhook");
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("a header's bytes");
        request.headers_mut().insert(AUTHORIZATION, bearer);
        self.webhook.handle(request).await
    }
}

#[tokio::test]
async fn t_16_a_token_of_a_megabyte_is_refused_with_401_before_any_request() {
    // F-WHJ-6.
    let webhook = WebhookEnv::new().await;
    let bare = BareHandler::beside(&webhook);
    let long = "A".repeat(MEGABYTE);
    let third = "A".repeat(MEGABYTE / 3);
    let genuine = webhook.token();
    // Entra signed these tokens, and every claim is right. Only their length is wrong.
    let mut claims = webhook.claims(TokenVersion::V1);
    claims["note"] = json!(long);
    let long_claim = webhook.signed(&claims);
    let long_header = webhook.env.microsoft().entra(|entra| {
        let header = json!({ "alg": "RS256", "kid": entra.signing_kid(), "note": long });
        let claims = entra.webhook_claims(TokenVersion::V1);
        entra.sign_text(&header.to_string(), &claims.to_string())
    });
    for (case, token) in [
        ("one part", long.clone()),
        ("three parts", format!("{third}.{third}.{third}")),
        ("dots", ".".repeat(MEGABYTE)),
        ("a long claim", long_claim),
        ("a long header", long_header),
        ("a long signature", format!("{genuine}{long}")),
    ] {
        assert!(token.len() >= MEGABYTE - 1, "{case}: {}", token.len());
        let answer = bare.call_with(&token).await;
        assert_eq!(answer.status(), 401, "{case}");
        assert_eq!(answer.headers()[WWW_AUTHENTICATE], "Bearer", "{case}");
        assert_eq!(bare.recorder.urls(), [""; 0], "{case}");
    }
    webhook.assert_untouched().await;

    // A token of the usual length does lead to requests.
    assert_eq!(bare.call_with(&genuine).await.status(), 200);
    let urls = bare.recorder.urls();
    for setting in ["AWS_ENDPOINT_URL_DYNAMODB", "MARKETPLACE_URL", "ENTRA_AUTHORITY"] {
        let url = &webhook.env.system.variables[setting];
        assert!(urls.iter().any(|requested| requested.starts_with(url)), "{setting}: {urls:?}");
    }
}

#[tokio::test]
async fn t_16_a_key_in_or_linked_from_the_header_is_refused_with_401_unfetched() {
    // F-WHJ-4: keys come from Entra's key document alone.
    let webhook = WebhookEnv::new().await;
    let authority = &webhook.env.system.variables["ENTRA_AUTHORITY"];
    let tenant = &webhook.env.system.variables["ENTRA_TENANT_ID"];
    let list = format!("{authority}/{tenant}/discovery/v2.0/keys");
    for version in VERSIONS {
        let bare = BareHandler::beside(&webhook);
        for forgery in
            [Forgery::EmbeddedJwk, Forgery::JkuHeader, Forgery::X5cHeader, Forgery::X5uHeader]
        {
            let token = webhook.env.microsoft().entra(|entra| entra.forge(forgery, version));
            assert_eq!(bare.call_with(&token).await.status(), 401, "{forgery:?} of {version:?}");
        }
        for url in bare.recorder.urls() {
            assert!(url.starts_with(&list), "{url}");
        }
    }
    webhook.assert_untouched().await;
}
