//! Handovers of buyers to an example's sign-up page: genuine ones, and those that it must refuse.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde_json::{Value, json};
use shared::domain::{Account, Role, Subscription};
use shared::publisher::handover::{Handover, HandoverPerson, LIFETIME};
use shared::publisher::standard_webhooks::WebhookKeys;
use uuid::Uuid;

use super::{Example, STRANGERS_KEY, id};

const KEY: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const NEWER_KEY: &str = "whsec_CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

/// What the examples hold.
pub(super) const BOTH_KEYS: &str = "whsec_CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg= \
                                    whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
pub(super) const ISSUER: &str = "https://signup.example.com";
pub(super) const AUDIENCE: &str = "https://app.example.com";

/// The subscription of every handover.
const HANDED_OVER: u128 = 12;

/// What a case changes about a genuine handover.
struct Case {
    id: u128,
    keys: &'static str,
    issuer: &'static str,
    audience: &'static str,
    ago: SignedDuration,
}

impl Case {
    fn genuine(id: u128) -> Self {
        Self { id, keys: KEY, issuer: ISSUER, audience: AUDIENCE, ago: SignedDuration::ZERO }
    }

    /// As the landing page signs it.
    fn token(&self) -> String {
        let subscription: Result<Subscription, _> = serde_json::from_value(json!({
            "id": id(HANDED_OVER), "offerId": "fleet", "planId": "gold",
            "saasSubscriptionStatus": "PendingFulfillmentStart",
        }));
        let account = Account { tenant_id: Uuid::from_u128(3), object_id: None };
        let handover = Handover {
            issuer: self.issuer,
            audience: self.audience,
            id: Uuid::from_u128(self.id),
            issued_at: Timestamp::now() - self.ago,
            subscription: &subscription.expect("a subscription"),
            role: Role::Beneficiary,
            person: HandoverPerson { name: Some("<b>Adele & Co"), email: None, account },
            sign_up: None,
            language: "en",
        };
        handover.signed(&WebhookKeys::parse(self.keys).expect("keys"))
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The same claims under another header, signed with a key that the examples hold.
fn with_header(token: &str, header: &Value, algorithm: Option<hmac::Algorithm>) -> String {
    let claims = token.split('.').nth(1).expect("claims");
    let signed = format!("{}.{claims}", encoded(header));
    let signature = algorithm.map(|algorithm| {
        let key = STANDARD.decode(KEY.trim_start_matches("whsec_")).expect("base64");
        URL_SAFE_NO_PAD.encode(hmac::sign(&hmac::Key::new(algorithm, &key), signed.as_bytes()))
    });
    format!("{signed}.{}", signature.unwrap_or_default())
}

fn edited(token: &str) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64");
    let mut claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["role"] = json!("purchaser");
    format!("{}.{}.{}", parts[0], encoded(&claims), parts[2])
}

fn refused() -> Vec<(&'static str, String)> {
    let token = |case: Case| case.token();
    let genuine = || token(Case::genuine(30));
    let minutes = SignedDuration::from_mins;
    let algorithm = |name: &str| json!({ "alg": name, "typ": "JWT" });
    let (sha256, sha512) = (Some(hmac::HMAC_SHA256), Some(hmac::HMAC_SHA512));
    let without_signature = genuine().rsplit_once('.').expect("three parts").0.to_owned();
    vec![
        ("late", token(Case { ago: LIFETIME, ..Case::genuine(31) })),
        ("from the future", token(Case { ago: minutes(-6), ..Case::genuine(32) })),
        ("for another audience", token(Case { audience: ISSUER, ..Case::genuine(33) })),
        ("of another issuer", token(Case { issuer: AUDIENCE, ..Case::genuine(34) })),
        ("with another key", token(Case { keys: STRANGERS_KEY, ..Case::genuine(35) })),
        ("with edits", edited(&genuine())),
        ("alg none", with_header(&genuine(), &algorithm("none"), None)),
        ("alg None", with_header(&genuine(), &algorithm("None"), None)),
        ("alg none with a signature", with_header(&genuine(), &algorithm("none"), sha256)),
        ("alg HS512", with_header(&genuine(), &algorithm("HS512"), sha512)),
        ("alg RS256", with_header(&genuine(), &algorithm("RS256"), sha256)),
        ("no alg", with_header(&genuine(), &json!({}), sha256)),
        ("no header", with_header(&genuine(), &json!("HS256"), sha256)),
        (
            "critical extensions",
            with_header(&genuine(), &json!({ "alg": "HS256", "crit": ["x"], "x": 1 }), sha256),
        ),
        ("no signature", format!("{without_signature}.")),
        ("two parts", without_signature),
        ("four parts", format!("{}.e30", genuine())),
        ("no JWT", "handover".to_owned()),
        ("nothing", String::new()),
    ]
}

impl Example {
    async fn sign_up(&self, tokens: &[&str]) -> (u16, String) {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(tokens.iter().map(|token| ("handover", token)));
        let request = reqwest::Client::new()
            .post(format!("{}/sign-up", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.finish());
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    /// Hands buyers over. Returns what the example prints.
    pub(super) async fn takes_handovers(&self) -> Vec<String> {
        for (what, token) in refused() {
            let (status, page) = self.sign_up(&[&token]).await;
            assert_eq!(status, 401, "{what}");
            assert!(page.contains("https://signup.example.com/landing"), "{what}: {page}");
        }
        // What was refused has used up no id.
        let first = Case::genuine(30).token();
        assert_eq!(self.sign_up(&[&first, &first]).await.0, 401, "repeated in the form");
        let (status, page) = self.sign_up(&[&first]).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("Adele") && !page.contains("<b>"), "{page}");
        assert_eq!(self.sign_up(&[&first]).await.0, 401, "replayed");
        let last = LIFETIME - SignedDuration::from_mins(1);
        let old = Case { ago: last, ..Case::genuine(40) }.token();
        assert_eq!(self.sign_up(&[&old]).await.0, 200, "a minute before its end");
        let newer = Case { keys: NEWER_KEY, ..Case::genuine(41) }.token();
        assert_eq!(self.sign_up(&[&newer]).await.0, 200, "with the key that replaces the first");
        vec![format!("handover {} beneficiary", id(HANDED_OVER)); 3]
    }
}
