//! The webhook without a server in front of it, which would refuse some tokens by itself, and with
//! everything it says to the world noted (F-WHJ-4, F-WHJ-6). T-16, continued.

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

use crate::token::{Door, VERSIONS};

const MEGABYTE: usize = 1024 * 1024;

/// Notes whom the function speaks to: Entra, the marketplace and the table.
#[derive(Debug, Default)]
struct Noted {
    https: HttpClient,
    asked: Mutex<Vec<String>>,
}

impl Noted {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Transport for Noted {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        let uri = request.uri().to_string();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(uri);
        self.https.send(request, timeout).await
    }
}

/// A second webhook before the same table and marketplace, just started.
struct Bare {
    webhook: Webhook,
    noted: Arc<Noted>,
    body: String,
}

impl Bare {
    fn beside(door: &Door) -> Self {
        let noted = Arc::new(Noted::default());
        let transport: Arc<dyn Transport> = noted.clone();
        let variables = door.scene.stage.variables.clone();
        let environment = Environment::from_fn(move |name| variables.get(name).cloned());
        let clock = door.scene.stage.clock.clone();
        let table = table(&environment, &transport, clock.clone()).expect("the stage's settings");
        let dependencies = Dependencies {
            microsoft: Microsoft::read(&environment, &transport).expect("the stage's settings"),
            store: table.clone(),
            checkpoints: table,
            transport,
            clock,
        };
        let webhook = Webhook::new(&environment, &dependencies).expect("the stage's settings");
        Self { webhook, noted, body: door.body.clone() }
    }

    async fn knock(&self, token: &str) -> shared::host::http::Response {
        let mut request = Request::new(Bytes::from(self.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("/webhook");
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("a header's bytes");
        request.headers_mut().insert(AUTHORIZATION, bearer);
        self.webhook.handle(request).await
    }
}

#[tokio::test]
async fn t_16_a_token_of_a_megabyte_is_refused_with_401_and_nobody_is_asked() {
    // F-WHJ-6.
    let door = Door::new().await;
    let bare = Bare::beside(&door);
    let long = "A".repeat(MEGABYTE);
    let third = "A".repeat(MEGABYTE / 3);
    let genuine = door.token();
    // Signed by Entra and right in all that is checked: only their length is wrong.
    let mut claims = door.claims(TokenVersion::V1);
    claims["note"] = json!(long);
    let long_claim = door.signed(&claims);
    let long_header = door.scene.microsoft().entra(|entra| {
        let header = json!({ "alg": "RS256", "kid": entra.signing_kid(), "note": long });
        let claims = entra.webhook_claims(TokenVersion::V1);
        entra.sign_text(&header.to_string(), &claims.to_string())
    });
    for (what, token) in [
        ("one part", long.clone()),
        ("three parts", format!("{third}.{third}.{third}")),
        ("dots", ".".repeat(MEGABYTE)),
        ("a long claim", long_claim),
        ("a long header", long_header),
        ("a long signature", format!("{genuine}{long}")),
    ] {
        assert!(token.len() >= MEGABYTE - 1, "{what}: {}", token.len());
        let answer = bare.knock(&token).await;
        assert_eq!(answer.status(), 401, "{what}");
        assert_eq!(answer.headers()[WWW_AUTHENTICATE], "Bearer", "{what}");
        assert_eq!(bare.noted.asked(), [""; 0], "{what}");
    }
    door.assert_shut().await;

    // The same webhook does ask for a token of the usual length.
    assert_eq!(bare.knock(&genuine).await.status(), 200);
    let asked = bare.noted.asked();
    for place in ["AWS_ENDPOINT_URL_DYNAMODB", "MARKETPLACE_URL", "ENTRA_AUTHORITY"] {
        let url = &door.scene.stage.variables[place];
        assert!(asked.iter().any(|asked| asked.starts_with(url)), "{place} {url}: {asked:?}");
    }
}

#[tokio::test]
async fn t_16_a_key_or_certificate_the_header_brings_or_points_to_is_refused_with_401_unfetched() {
    // F-WHJ-4: keys come from Entra's key document alone.
    let door = Door::new().await;
    let bare = Bare::beside(&door);
    for version in VERSIONS {
        for forgery in
            [Forgery::EmbeddedJwk, Forgery::JkuHeader, Forgery::X5cHeader, Forgery::X5uHeader]
        {
            let token = door.scene.microsoft().entra(|entra| entra.forge(forgery, version));
            assert_eq!(bare.knock(&token).await.status(), 401, "{forgery:?} of {version:?}");
        }
    }
    let authority = &door.scene.stage.variables["ENTRA_AUTHORITY"];
    let tenant = &door.scene.stage.variables["ENTRA_TENANT_ID"];
    assert_eq!(bare.noted.asked(), [format!("{authority}/{tenant}/discovery/v2.0/keys")]);
    door.assert_shut().await;
}
