//! Entra's answer to the exchange of a sign-in code (F-LP-6). `{id_token}` stands for the token of
//! this sign-in, and `{another}` for the token of a different one.
#![no_main]

use bytes::Bytes;
use fuzz::landing_page::{ORIGIN, PURCHASE, SESSION, TRIP, cookie, page, strange_page};
use fuzz::{APP, DYNAMODB, ENTRA, Message, TENANT};
use http::header::{COOKIE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use shared::lenient::value;

/// The page's answer to a buyer who returns with a code.
fn arrive(exchanged: Response<Bytes>) -> Response<Bytes> {
    let page = page();
    page.wire.reset(page.answering_codes(exchanged));
    let back = format!("/landing/signed-in?code=the-code&state={}", page.state);
    let to: Uri = back.parse().expect("an address");
    let cookie = HeaderValue::from_str(&format!("{TRIP}={}", page.trip)).expect("text");
    let shown = page.visit(Method::GET, to, HeaderMap::from_iter([(COOKIE, cookie)]), Bytes::new());
    let mut sent = page.wire.sent();
    // The table remembers refused codes.
    sent.retain(|request| !request.uri().to_string().starts_with(DYNAMODB));
    // The page redeems the code once, and sends its secret to Entra only.
    let [exchange, keys @ ..] = &sent[..] else { panic!("the code was not redeemed") };
    assert_exchange(exchange);
    for request in keys {
        let uri = request.uri().to_string();
        let keys = format!("{ENTRA}/{TENANT}/discovery/v2.0/keys");
        assert!(uri == keys || uri == format!("{keys}?appid={APP}"), "{uri}");
    }
    shown
}

/// F-LP-6, RFC 6749 and 7636: the body holds each parameter of the exchange once.
fn assert_exchange(request: &Request<Bytes>) {
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri().to_string(), format!("{ENTRA}/common/oauth2/v2.0/token"));
    let form = std::str::from_utf8(request.body()).expect("a form");
    let redirect = format!("{ORIGIN}/landing/signed-in").replace(':', "%3A").replace('/', "%2F");
    for pair in [
        "grant_type=authorization_code".to_owned(),
        "code=the-code".to_owned(),
        "client_secret=the-landing-secret".to_owned(),
        format!("client_id={APP}"),
        format!("redirect_uri={redirect}"),
    ] {
        assert_eq!(form.split('&').filter(|it| **it == pair).count(), 1, "{pair} in {form}");
    }
    let verifiers = form.split('&').filter(|pair| pair.starts_with("code_verifier="));
    assert_eq!(verifiers.count(), 1, "{form}");
}

/// Entra's numbers for a credential that it refuses, whatever the word beside them (F-AUTH-16, F-CRED-5,
/// F-CRED-11). Those of an identity begin with 70021.
const CREDENTIALS: [&str; 5] = ["7000215", "7000222", "700024", "700027", "70021"];

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: (page(), strange_page()), |text: &str| {
    let (own, another) = (&page().exchanged["id_token"], &strange_page().exchanged["id_token"]);
    let own = own.as_str().expect("a token");
    let text = text.replace("{id_token}", own);
    let text = text.replace("{another}", another.as_str().expect("a token"));
    let answer = Message::read(text.as_bytes()).answer();
    let (status, body) = (answer.status(), answer.body().clone());
    let shown = arrive(answer);
    let read = value(&body);
    let said = |name: &str| read.as_ref().and_then(|read| read[name].as_str());
    let signed_in = cookie(shown.headers(), SESSION).is_some();
    match shown.status() {
        StatusCode::SEE_OTHER => {
            assert!(signed_in && status == StatusCode::OK, "{status}");
            assert_eq!(shown.headers()[LOCATION], "/landing");
            // A number out of range in a member that the code doesn't read must not fail the rest.
            assert!(read.is_none() || said("id_token") == Some(own));
        }
        // An invalid code or the token of another sign-in is the visitor's error. Everything else
        // may be a passing failure (F-AUTH-15).
        StatusCode::BAD_REQUEST => {
            let refused = status != StatusCode::OK && said("error") == Some("invalid_grant");
            let strange = status == StatusCode::OK && said("id_token").is_some_and(|it| it != own);
            assert!(read.is_none() || refused || strange, "{status} {read:?}");
        }
        // Entra refuses the application: the publisher's settings are wrong (F-ERR-5).
        StatusCode::INTERNAL_SERVER_ERROR => {
            let application = ["invalid_client", "unauthorized_client"];
            let word = said("error").is_some_and(|error| application.contains(&error.trim()));
            let codes = read.as_ref().map(|read| read["error_codes"].to_string());
            let names = |number: &&str| codes.as_ref().is_some_and(|codes| codes.contains(*number));
            let refused = word || CREDENTIALS.iter().any(|number| names(&number));
            assert!(read.is_none() || (refused && status != StatusCode::OK), "{status} {read:?}");
        }
        other => assert_eq!(other, StatusCode::SERVICE_UNAVAILABLE),
    }
    assert_eq!(signed_in, shown.status() == StatusCode::SEE_OTHER);
    let readable = shown.headers().values().map(|value| value.to_str().expect("text"));
    for text in readable.chain([std::str::from_utf8(shown.body()).expect("text")]) {
        assert!(!text.contains(own) && !text.contains(PURCHASE));
        assert!(!text.contains("the-landing-secret"));
    }
    // Additional members must not keep a buyer out.
    let Some(Value::Object(mut more)) = read else { return };
    if let Value::Object(usual) = &page().exchanged {
        more.extend(usual.clone());
    }
    more.remove("refresh_token");
    let arrived = arrive(Response::new(json!(more).to_string().into()));
    assert!(cookie(arrived.headers(), SESSION).is_some(), "{more:?}");
});
