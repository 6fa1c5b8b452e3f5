//! The webhook accepts only calls that Microsoft signed: T-16 (section 6.4).

use emulator::{Call, Forgery, Purchase, TokenVersion};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_env::TestEnv;

pub(crate) const VERSIONS: [TokenVersion; 2] = [TokenVersion::V1, TokenVersion::V2];

/// An environment with a change whose webhook call is due.
pub(crate) struct WebhookEnv {
    pub env: TestEnv,
    id: Uuid,
    operation: Uuid,
    pub body: String,
}

impl WebhookEnv {
    pub(crate) async fn new() -> Self {
        let env = TestEnv::new().await;
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        let operation = env.world(|world| world.change_plan(id, "team")).expect("a change");
        let body = env.body_of(operation).to_string();
        env.world(|world| world.clear_calls());
        Self { env, id, operation, body }
    }

    /// Calls the webhook with this token. Returns the status.
    pub(crate) async fn call_with(&self, token: &str) -> u16 {
        let authorization = format!("Bearer {token}");
        self.env.call(self.body.clone(), Some(&authorization)).await.status.as_u16()
    }

    pub(crate) fn token(&self) -> String {
        self.env.microsoft().entra(|entra| entra.webhook_token(TokenVersion::V1))
    }

    pub(crate) fn claims(&self, version: TokenVersion) -> Value {
        self.env.microsoft().entra(|entra| entra.webhook_claims(version))
    }

    pub(crate) fn signed(&self, claims: &Value) -> String {
        self.env.microsoft().entra(|entra| entra.sign(claims))
    }

    /// The same for claims that no JSON value can represent.
    pub(crate) fn signed_text(&self, claims: &str) -> String {
        self.env.microsoft().entra(|entra| {
            let kid = entra.signing_kid();
            let header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid }).to_string();
            entra.sign_text(&header, claims)
        })
    }

    pub(crate) fn now(&self) -> i64 {
        self.env.world(|world| world.now().as_second())
    }

    pub(crate) fn key_fetches(&self) -> u64 {
        self.env.microsoft().entra(|entra| entra.key_fetches())
    }

    /// Asserts that no call was made to Microsoft and nothing changed.
    pub(crate) async fn assert_untouched(&self) {
        for call in [Call::Token, Call::GetOperation, Call::UpdateOperation, Call::GetSubscription]
        {
            assert_eq!(self.env.calls_of(call).len(), 0, "{call:?}");
        }
        let operation = self.env.world(|world| world.operation(self.operation));
        assert_eq!(operation.status, "InProgress");
        let record = self.env.record(self.id).await.expect("a record");
        assert_eq!(record.subscription.plan_id, "basic");
    }
}

#[tokio::test]
async fn t_16_tokens_of_version_1_and_version_2_are_accepted() {
    // F-WHJ-3: both versions occur. Version 2 comes without `nbf`.
    for version in VERSIONS {
        let webhook = WebhookEnv::new().await;
        let token = webhook.signed(&webhook.claims(version));
        assert_eq!(webhook.call_with(&token).await, 200, "{version:?}");
        webhook.env.assert_agrees(webhook.id, "accepted").await;
    }
}

#[tokio::test]
async fn t_16_every_forgery_of_either_version_is_refused_with_401_and_changes_nothing() {
    let webhook = WebhookEnv::new().await;
    // Fetch the keys first, so that no token is refused because they are missing.
    webhook.env.signed(json!({}).to_string()).await;
    for version in VERSIONS {
        // Some name an unknown key, which is looked up only so many times a minute.
        webhook.env.pass(61);
        for forgery in Forgery::ALL {
            let token = webhook.env.microsoft().entra(|entra| entra.forge(forgery, version));
            assert_eq!(webhook.call_with(&token).await, 401, "{forgery:?} of {version:?}");
        }
    }
    webhook.assert_untouched().await;
}

#[tokio::test]
async fn t_16_forgeries_are_refused_on_a_cold_start_too() {
    // No keys are cached yet, so Entra is asked before a key counts as unknown.
    for forgery in [
        Forgery::UnknownKid,
        Forgery::ForeignKey,
        Forgery::AlgNone,
        Forgery::MissingKid,
        Forgery::EmbeddedJwk,
        Forgery::JkuHeader,
        Forgery::X5cHeader,
        Forgery::X5uHeader,
    ] {
        let webhook = WebhookEnv::new().await;
        let token = webhook.env.microsoft().entra(|entra| entra.forge(forgery, TokenVersion::V2));
        assert_eq!(webhook.call_with(&token).await, 401, "{forgery:?}");
        webhook.assert_untouched().await;
    }
}

#[tokio::test]
async fn t_16_malformed_and_wrong_claims_are_refused_with_401() {
    let webhook = WebhookEnv::new().await;
    let other = Uuid::from_u128(7).to_string();
    let now = webhook.now();
    let changes: Vec<(&str, Value)> = vec![
        ("exp", json!((now + 3600).to_string())),
        ("exp", json!(null)),
        ("exp", json!(true)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(1e300)),
        ("exp", json!(-1)),
        ("exp", json!(0)),
        ("exp", json!(now - 3600)),
        ("nbf", json!((now - 10).to_string())),
        ("nbf", json!(now + 3600)),
        ("nbf", json!(i64::MAX)),
        ("aud", json!("")),
        ("aud", json!([other])),
        ("aud", json!([])),
        ("aud", json!({})),
        ("aud", json!(other)),
        ("tid", json!(other)),
        ("tid", json!(7)),
        ("iss", json!("")),
        ("iss", json!(7)),
        ("iss", json!(["https://sts.windows.net/"])),
        ("iss", json!(format!("https://sts.windows.net/{other}/"))),
        ("appid", json!(other)),
        ("appid", json!(null)),
        ("azp", json!(other)),
        ("ver", json!("3.0")),
    ];
    for (claim, value) in changes {
        let mut claims = webhook.claims(TokenVersion::V1);
        claims[claim] = value.clone();
        assert_eq!(webhook.call_with(&webhook.signed(&claims)).await, 401, "{claim}: {value}");
    }
    // An issuer that only starts with the right one.
    for tail in ["v2.0", "../", " ", "\u{0}", "?"] {
        let mut claims = webhook.claims(TokenVersion::V1);
        let issuer = claims["iss"].as_str().expect("an issuer").to_owned();
        claims["iss"] = json!(format!("{issuer}{tail}"));
        assert_eq!(webhook.call_with(&webhook.signed(&claims)).await, 401, "{issuer}{tail}");
    }
    for claims in [json!({}), json!([]), json!(null), json!("claims"), json!(7)] {
        assert_eq!(webhook.call_with(&webhook.signed(&claims)).await, 401, "{claims}");
    }
    webhook.assert_untouched().await;
}

#[tokio::test]
async fn t_16_headers_with_another_algorithm_or_key_id_or_with_crit_are_refused_with_401() {
    let webhook = WebhookEnv::new().await;
    let kid = webhook.env.microsoft().entra(|entra| entra.signing_kid());
    let claims = webhook.claims(TokenVersion::V1).to_string();
    for header in [
        json!({ "alg": "RS384", "kid": kid }),
        json!({ "alg": "PS256", "kid": kid }),
        json!({ "alg": "ES256", "kid": kid }),
        json!({ "alg": "HS256", "kid": kid }),
        json!({ "alg": "None", "kid": kid }),
        json!({ "alg": "rs256", "kid": kid }),
        json!({ "alg": "", "kid": kid }),
        json!({ "kid": kid }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "RS256", "kid": "" }),
        json!({ "alg": "RS256", "kid": 7 }),
        json!({ "alg": "RS256", "kid": "../../keys" }),
        json!({ "alg": "RS256", "x5t": kid }),
        json!({ "alg": "RS256", "kid": format!("{kid} ") }),
        // RFC 7515, section 4.1.11: an extension that must be understood, and isn't.
        json!({ "alg": "RS256", "kid": kid, "crit": ["b64"], "b64": false }),
        json!({ "alg": "RS256", "kid": kid, "crit": [] }),
        json!({ "alg": "RS256", "kid": kid, "crit": "b64" }),
        json!([]),
        json!(null),
    ] {
        let token =
            webhook.env.microsoft().entra(|entra| entra.sign_text(&header.to_string(), &claims));
        assert_eq!(webhook.call_with(&token).await, 401, "{header}");
    }
    webhook.assert_untouched().await;
}

#[tokio::test]
async fn t_16_a_call_without_exactly_one_bearer_token_is_refused_with_401() {
    let webhook = WebhookEnv::new().await;
    let token = webhook.token();
    let bytes = |text: &[u8]| http::HeaderValue::from_bytes(text).expect("a header's bytes");
    let headers: Vec<Vec<http::HeaderValue>> = vec![
        vec![],
        vec![bytes(b"")],
        vec![bytes(b"Bearer")],
        vec![bytes(b"Bearer ")],
        vec![bytes(b"Bearer garbage")],
        vec![bytes(b"Bearer a.b.c")],
        vec![bytes(b"Bearer ...")],
        vec![bytes(b"Bearer \xff\xfe.\xff.\xff")],
        vec![bytes(token.as_bytes())],
        vec![bytes(format!("Basic {token}").as_bytes())],
        vec![bytes(format!("Bearer {token}.{token}").as_bytes())],
        vec![bytes(format!("Bearer {token} {token}").as_bytes())],
        vec![bytes(format!("Bearer {token},Bearer {token}").as_bytes())],
        vec![bytes(format!("Bearer Bearer {token}").as_bytes())],
        vec![bytes(format!("Bearer {}", "A".repeat(64 * 1024)).as_bytes())],
        vec![bytes(format!("Bearer {token}").as_bytes()); 2],
        vec![bytes(format!("Bearer {token}").as_bytes()), bytes(b"Bearer other")],
    ];
    for values in headers {
        let mut request =
            webhook.env.http.post(webhook.env.url("/webhook")).body(webhook.body.clone());
        for value in &values {
            request = request.header(AUTHORIZATION, value);
        }
        let answer = webhook.env.send(request).await;
        assert_eq!(answer.status, 401, "{values:.60?}");
        assert_eq!(answer.headers[WWW_AUTHENTICATE], "Bearer", "{values:.60?}");
    }
    // A token in the query does not count.
    let elsewhere = webhook.env.url(&format!("/webhook?access_token={token}"));
    let answer =
        webhook.env.send(webhook.env.http.post(elsewhere).body(webhook.body.clone())).await;
    assert_eq!(answer.status, 401);
    webhook.assert_untouched().await;
}

#[tokio::test]
async fn t_16_a_token_of_a_megabyte_is_refused_without_decoding_it() {
    let webhook = WebhookEnv::new().await;
    let huge =
        format!("Bearer {}.{}.{}", "A".repeat(400_000), "A".repeat(400_000), "A".repeat(200_000));
    // The server may refuse the header before the function sees it.
    let sent = webhook.env.http.post(webhook.env.url("/webhook")).header(AUTHORIZATION, huge);
    if let Ok(answer) = sent.body(webhook.body.clone()).send().await {
        assert!([401, 431].contains(&answer.status().as_u16()), "{}", answer.status());
    }
    assert_eq!(webhook.key_fetches(), 0);
    webhook.assert_untouched().await;
}

#[tokio::test]
async fn t_16_the_scheme_and_guids_are_read_in_any_case() {
    // F-WHJ-5 for the GUIDs; RFC 9110 for the scheme.
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let webhook = WebhookEnv::new().await;
        let mut claims = webhook.claims(TokenVersion::V1);
        for claim in ["aud", "tid", "appid", "iss"] {
            let upper = claims[claim].as_str().expect("text").to_uppercase();
            claims[claim] =
                json!(upper.replace("HTTPS://STS.WINDOWS.NET", "https://sts.windows.net"));
        }
        let authorization = format!("{scheme} {}", webhook.signed(&claims));
        let answer = webhook.env.call(webhook.body.clone(), Some(&authorization)).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn t_16_a_forgery_is_refused_with_401_for_any_case_of_the_scheme() {
    let webhook = WebhookEnv::new().await;
    for scheme in ["bearer", "BEARER"] {
        webhook.env.pass(61);
        for forgery in Forgery::ALL {
            let token =
                webhook.env.microsoft().entra(|entra| entra.forge(forgery, TokenVersion::V2));
            let authorization = format!("{scheme} {token}");
            let answer = webhook.env.call(webhook.body.clone(), Some(&authorization)).await;
            assert_eq!(answer.status, 401, "{scheme}: {forgery:?}");
        }
    }
    webhook.assert_untouched().await;
}

#[tokio::test]
async fn t_16_clocks_may_differ_by_some_seconds_but_not_by_minutes() {
    // F-WHJ-5.
    for (claim, seconds, status) in
        [("exp", -5, 200), ("exp", -301, 401), ("nbf", 5, 200), ("nbf", 301, 401)]
    {
        let webhook = WebhookEnv::new().await;
        let mut claims = webhook.claims(TokenVersion::V1);
        claims[claim] = json!(webhook.now() + seconds);
        assert_eq!(
            webhook.call_with(&webhook.signed(&claims)).await,
            status,
            "{claim} {seconds:+}"
        );
    }
}
