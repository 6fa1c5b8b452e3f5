//! A visit to the landing page, and Microsoft's answer about its purchase token (F-RES).
#![no_main]

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use fuzz::{
    ACCESS_TOKEN, DYNAMODB, ENTRA, MARKETPLACE, Message, Wire, dependencies, parts, run, status,
};
use http::{Method, Request, Response, StatusCode, Uri};
use landing::Landing;
use libfuzzer_sys::fuzz_target;
use shared::host::http::Handler;
use shared::microsoft::fulfillment::PurchaseToken;

struct Page {
    wire: Arc<Wire>,
    landing: Landing,
}

fn page() -> &'static Page {
    static PAGE: OnceLock<Page> = OnceLock::new();
    PAGE.get_or_init(|| {
        let wire = Wire::answering(status(StatusCode::OK));
        let (environment, dependencies) = dependencies(&wire, |name| match name {
            "LANDING_SIGN_IN" => Some("off".to_owned()),
            "LANDING_BASE_URL" => Some("http://localhost".to_owned()),
            _ => None,
        });
        let landing = Landing::new(&environment, &dependencies).expect("complete settings");
        Page { wire, landing }
    })
}

/// The names of the elements in `html`.
fn elements(html: &str) -> BTreeSet<String> {
    let of = |rest: &str| rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    html.split('<').skip(1).map(|rest| of(rest.trim_start_matches('/'))).collect()
}

/// The elements that the landing page's own templates use.
fn own_elements() -> &'static BTreeSet<String> {
    static OWN: OnceLock<BTreeSet<String>> = OnceLock::new();
    OWN.get_or_init(|| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/landing/templates");
        let files = fs::read_dir(folder).expect("the landing page's templates");
        let paths = files.map(|file| file.expect("an entry").path());
        let html = paths.filter(|path| path.extension().is_some_and(|kind| kind == "html"));
        html.flat_map(|path| elements(&fs::read_to_string(path).expect("a template"))).collect()
    })
}

fuzz_target!(|input: &[u8]| {
    let [query, resolved, stored] = parts(input);
    let Ok(query) = std::str::from_utf8(query) else { return };
    let resolved = Message::read(resolved).answer();
    let resolve_status = resolved.status();
    let stored = Bytes::copy_from_slice(stored);
    let token = PurchaseToken::from_query(query);
    let visits = [
        format!("/landing?{query}").parse().ok().map(|uri: Uri| (Method::GET, uri, Bytes::new())),
        Some((Method::POST, Uri::from_static("/landing"), Bytes::from(query.to_owned()))),
    ];
    for (method, uri, body) in visits.into_iter().flatten() {
        // A browser doesn't send the fragment.
        let sent_token = match method {
            Method::GET => uri.query().and_then(PurchaseToken::from_query),
            _ => token.clone(),
        };
        let (resolved, stored) = (resolved.clone(), stored.clone());
        page().wire.reset(Box::new(move |request| answer(request, &resolved, &stored)));
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let shown = run(page().landing.handle(request));
        let sent = page().wire.sent();
        let Some(token) = sent_token else {
            assert_eq!(shown.status(), StatusCode::OK, "F-LP-4");
            assert!(sent.is_empty(), "without a token there is no request");
            continue;
        };
        // F-RES-11: the token goes to Microsoft only, in its header.
        for request in &sent {
            let to_resolve = request.uri().to_string().starts_with(MARKETPLACE)
                && request.uri().path().ends_with("/resolve");
            let header = request.headers().get("x-ms-marketplace-token");
            assert_eq!(header.is_some_and(|value| value == token.expose()), to_resolve);
        }
        assert_eq!(shown.headers()["referrer-policy"], "no-referrer");
        assert_eq!(shown.headers()["cache-control"], "no-store");
        // What Microsoft would answer to everyone is a fault of the settings (F-ERR-5).
        let is_error = !resolve_status.is_success();
        let status = shown.status();
        let fits = matches!(status.as_u16(), 200 | 400 | 409 | 503) || (status == 500 && is_error);
        assert!(fits, "{status}");
        let page = std::str::from_utf8(shown.body()).expect("text");
        // No name, plan or address becomes markup.
        let used = elements(page);
        let strange: Vec<_> = used.difference(own_elements()).collect();
        assert!(strange.is_empty(), "{strange:?} in {page}");
        assert_eq!(page.matches("<script").count(), 1, "the page's own: {page}");
        assert!(!page.contains(ACCESS_TOKEN));
    }
});

fn answer(request: &Request<Bytes>, resolved: &Response<Bytes>, stored: &Bytes) -> Response<Bytes> {
    let uri = request.uri().to_string();
    if uri.starts_with(ENTRA) {
        let token = format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":"3599"}}"#);
        Response::new(token.into())
    } else if uri.starts_with(DYNAMODB) {
        Response::new(if stored.is_empty() { Bytes::from_static(b"{}") } else { stored.clone() })
    } else {
        resolved.clone()
    }
}
