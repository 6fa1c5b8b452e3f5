//! The landing page's cookies, one `Cookie` header per line. `{trip}` stands for the encrypted
//! value of a sign-in that has begun, `{session}` for that of a session, `{other}` and `{theirs}`
//! for the same two of a page with another secret, and `{trip.0}` to `{theirs.2}` for their nonces,
//! ciphertexts and tags.
#![no_main]

use bytes::Bytes;
use fuzz::landing_page::{PURCHASE, SESSION, TRIP, cookie, page, strange_page};
use fuzz::{ENTRA, MARKETPLACE};
use http::header::{COOKIE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use libfuzzer_sys::fuzz_target;

/// The lengths of an encrypted value's nonce and of its tag, in characters.
const ENDS: [usize; 2] = [16, 22];

fn headers(lines: &str) -> Option<HeaderMap> {
    let mut text = lines.to_owned();
    let (ours, theirs) = (page(), strange_page());
    let known = [
        ("trip", &ours.trip),
        ("session", &ours.session),
        ("other", &theirs.trip),
        ("theirs", &theirs.session),
    ];
    for (name, value) in known {
        let (nonce, rest) = value.split_at(ENDS[0]);
        let (middle, tag) = rest.split_at(rest.len() - ENDS[1]);
        text = text.replace(&format!("{{{name}}}"), value);
        for (index, third) in [nonce, middle, tag].into_iter().enumerate() {
            text = text.replace(&format!("{{{name}.{index}}}"), third);
        }
    }
    let mut headers = HeaderMap::new();
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).ok()?);
    }
    Some(headers)
}

/// The value of a cookie, reassembled if it is split into two.
fn kept(headers: &HeaderMap, name: &str) -> Option<String> {
    let part = |name: &str| {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).map(str::trim);
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)
    };
    let (_, first) = part(name)?;
    match first.split_once('.') {
        None => Some(first.to_owned()),
        Some((count, first)) if count.parse() == Ok(2) => {
            let second = format!("{name}-2");
            Some(format!("{first}{}", part(&second)?.1))
        }
        Some(_) => None,
    }
}

/// The answer, and the addresses that the page called for it.
fn visited(
    method: Method,
    to: &str,
    headers: &HeaderMap,
    body: String,
) -> (Response<Bytes>, Vec<String>) {
    let page = page();
    page.wire.reset(page.healthy());
    let to: Uri = to.parse().expect("an address");
    let shown = page.visit(method, to, headers.clone(), Bytes::from(body));
    let sent = page.wire.sent().iter().map(|request| request.uri().to_string()).collect();
    // No cookie causes a 5xx, and the purchase token never appears in plain text.
    assert!(matches!(shown.status().as_u16(), 200 | 303 | 400 | 403), "{}", shown.status());
    assert_eq!(shown.headers()["referrer-policy"], "no-referrer");
    assert_eq!(shown.headers()["cache-control"], "no-store");
    let body = std::str::from_utf8(shown.body()).expect("text");
    let readable = shown.headers().values().map(|value| value.to_str().expect("text"));
    assert!(readable.chain([body]).all(|text| !text.contains(PURCHASE)));
    (shown, sent)
}

fn is_asked(sent: &[String]) -> bool {
    sent.iter().any(|uri| uri.starts_with(MARKETPLACE))
}

/// Whether the answer redirects to Entra.
fn departs(shown: &Response<Bytes>) -> bool {
    let to = shown.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    shown.status() == StatusCode::SEE_OTHER && to.is_some_and(|to| to.starts_with(ENTRA))
}

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: (page(), strange_page()), |lines: &str| {
    let Some(headers) = headers(lines) else { return };
    let page = page();
    let is_signed_in = kept(&headers, SESSION).as_ref() == Some(&page.session);
    let has_trip = kept(&headers, TRIP).as_ref() == Some(&page.trip);

    // Only our own session cookie opens a purchase. Our own sign-in cookie starts the sign-in
    // again.
    let (shown, sent) = visited(Method::GET, "/landing", &headers, String::new());
    assert_eq!(is_asked(&sent), is_signed_in);
    assert_eq!(departs(&shown), !is_signed_in && has_trip);
    let body = String::from_utf8_lossy(shown.body());
    assert_eq!(body.contains("ann@buyer.example"), is_signed_in);
    let (shown, _) = visited(Method::GET, "/landing/sign-in", &headers, String::new());
    assert_eq!(departs(&shown), is_signed_in || has_trip);

    // A sign-in completes only in the browser that began it, with the state of that sign-in.
    for (state, is_own) in [(&*page.state, true), ("another", false)] {
        let back = format!("/landing/signed-in?code=the-code&state={state}");
        let (shown, sent) = visited(Method::GET, &back, &headers, String::new());
        assert_eq!(!sent.is_empty(), has_trip && is_own, "{sent:?}");
        assert_eq!(cookie(shown.headers(), SESSION).is_some(), has_trip && is_own);
        assert_eq!(shown.status() == StatusCode::SEE_OTHER, has_trip && is_own);
    }

    // A form is accepted only with the session that its page was made for.
    for (submit, is_own) in [(&*page.submit, true), (&*strange_page().submit, false)] {
        let form = format!("submit={submit}&contact=ann%40buyer.example");
        let (shown, sent) = visited(Method::POST, "/landing", &headers, form);
        let activated = sent.iter().any(|uri| uri.contains("/activate?"));
        assert_eq!(activated, is_signed_in && is_own, "{sent:?}");
        assert_eq!(is_asked(&sent), is_signed_in && is_own);
        assert_eq!(shown.status() == StatusCode::SEE_OTHER, is_signed_in && is_own);
    }
});
