//! The whole webhook: a call, Microsoft's answers about it, and the table's content.
//!
//! The parts of an input: the call (a line that says whether changes are rejected, headers with
//! `{token}` for a genuine token, a body); the operation; the subscription; the answer to an
//! acknowledgement; DynamoDB's answer to a read and to a write.
#![no_main]

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use fuzz::{
    ACCESS_TOKEN, DYNAMODB, ENTRA, MARKETPLACE, Message, Wire, dependencies, key, parts, run,
    status, store,
};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::domain::Action;
use shared::host::http::Handler;
use shared::store::{DynamoDbStore, OperationOutcome, Store};
use webhook::{Claim, Webhook};

struct Function {
    wire: Arc<Wire>,
    store: DynamoDbStore,
    webhook: Webhook,
}

fn function(rejects: bool) -> &'static Function {
    static FUNCTIONS: [OnceLock<Function>; 2] = [OnceLock::new(), OnceLock::new()];
    FUNCTIONS[usize::from(rejects)].get_or_init(|| {
        let wire = Wire::answering(status(StatusCode::OK));
        let (environment, dependencies) = dependencies(&wire, move |name| match name {
            "CHANGE_POLICY" if rejects => Some("reject".to_owned()),
            _ => None,
        });
        let webhook = Webhook::new(&environment, &dependencies).expect("complete settings");
        Function { store: store(&wire), wire, webhook }
    })
}

/// Whether there is one `Authorization` header and it holds Microsoft's token.
fn is_genuine(headers: &HeaderMap) -> bool {
    match headers.get_all(AUTHORIZATION).iter().collect::<Vec<_>>()[..] {
        [value] => value.to_str().ok().and_then(|value| value.split_once(' ')).is_some_and(
            |(scheme, token)| {
                scheme.eq_ignore_ascii_case("bearer")
                    && key().genuine().contains(&token.trim().into())
            },
        ),
        _ => false,
    }
}

// Makes the keys first, because that takes seconds and no input should be blamed for them.
fuzz_target!(init: key(), |input: &[u8]| {
    let [call, operation, subscription, acknowledged, read, written] = parts(input);
    let call = String::from_utf8_lossy(call).replace("{token}", &key().genuine()[0]);
    let call = Message::read(call.as_bytes());
    let rejects = call.first == "reject";
    let Function { wire, store, webhook } = function(rejects);
    let [operation, subscription, acknowledged] =
        [operation, subscription, acknowledged].map(|part| Message::read(part).answer());
    let [read, written] = [read, written].map(Bytes::copy_from_slice);
    wire.reset(Box::new(move |request| {
        let uri = request.uri().to_string();
        if uri.starts_with(ENTRA) {
            return entra(&uri);
        }
        if uri.starts_with(DYNAMODB) {
            let writes = is_write(request);
            let body = if writes { written.clone() } else { read.clone() };
            return Response::new(if body.is_empty() { Bytes::from_static(b"{}") } else { body });
        }
        match (request.method(), uri.contains("/operations/")) {
            (&Method::PATCH, _) => acknowledged.clone(),
            (_, true) => operation.clone(),
            (_, false) => subscription.clone(),
        }
    }));
    let genuine = is_genuine(&call.headers);
    let claim = Claim::parse(&call.body).ok();
    let mut request = Request::new(call.body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static("/webhook");
    *request.headers_mut() = call.headers;
    let answer = run(webhook.handle(request)).status().as_u16();
    let sent = wire.sent();

    assert!(matches!(answer, 200 | 400 | 401 | 500..=599), "{answer}");
    if genuine {
        assert_ne!(answer, 401);
    } else {
        // A 503 if too many unknown keys were looked up.
        assert!(matches!(answer, 401 | 503), "{answer}");
        assert!(sent.iter().all(|request| request.uri().to_string().starts_with(ENTRA)));
        return;
    }
    let Some(claim) = claim else {
        assert!((500..600).contains(&answer), "F-WHA-13: {answer} to an unreadable body");
        assert!(!sent.iter().any(|request| request.uri().to_string().starts_with(MARKETPLACE)));
        return;
    };
    let waits = matches!(claim.action, Action::ChangePlan | Action::ChangeQuantity);
    let takes_an_answer = waits || claim.action == Action::Reinstate;
    if answer == 400 && !(rejects && waits) {
        // A repeated call gets the first one's answer from the table (F-WHD-5).
        let operation = claim.operation.as_ref().expect("what was answered before has an id");
        let mark = run(store.load_with_mark(claim.subscription, operation));
        let mark = mark.expect("the table answered").1.expect("a mark");
        assert!(takes_an_answer && mark.outcome == OperationOutcome::Rejected, "{claim:?}");
    }
    let mut asked_microsoft = false;
    for request in &sent {
        let uri = request.uri().to_string();
        if uri.starts_with(MARKETPLACE) {
            assert_eq!(request.headers()[AUTHORIZATION], format!("Bearer {ACCESS_TOKEN}"));
            assert!(uri.contains(&format!("/saas/subscriptions/{}", claim.subscription)));
            if request.method() == Method::PATCH {
                // F-OPU-7, F-OPU-2, F-WHS-1.
                assert!(takes_an_answer && asked_microsoft, "{claim:?}");
                let operation = claim.operation.as_ref().expect("an operation to answer").escaped();
                assert!(uri.contains(&format!("/operations/{operation}?")));
                let words = [r#"{"status":"Success"}"#, r#"{"status":"Failure"}"#];
                assert!(words.iter().any(|word| *request.body() == word));
                assert!(rejects || *request.body() == words[0], "the settings don't reject it");
            } else {
                assert_eq!(request.method(), Method::GET);
                asked_microsoft = true;
            }
        } else if is_write(request) {
            assert!(asked_microsoft, "a claim changed the table");
            let body: Value = serde_json::from_slice(request.body()).expect("JSON");
            let partition = format!("SUB#{}", claim.subscription);
            for item in body["TransactItems"].as_array().expect("items") {
                let key = item.get("Put").map_or(&item["Delete"]["Key"], |put| &put["Item"]);
                assert_eq!(key["pk"]["S"], *partition);
            }
        }
    }
});

fn is_write(request: &Request<Bytes>) -> bool {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    target.is_some_and(|target| target.ends_with(".TransactWriteItems"))
}

fn entra(uri: &str) -> Response<Bytes> {
    if uri.contains("/discovery/v2.0/keys") {
        return Response::new(key().document());
    }
    let token = format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":"3599"}}"#);
    Response::new(token.into())
}
