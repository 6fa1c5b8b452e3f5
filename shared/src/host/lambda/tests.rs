//! Lambda's events as requests: every one is answered, and the route decides, not the raw path.

use std::sync::Mutex;

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Access, answer};
use crate::host::http::{
    Handler, Principal, Problem, Request, Response, empty, json as json_response,
};
use crate::host::version;

/// A handler that keeps what it is asked.
#[derive(Default)]
struct Recording(Mutex<Vec<Request>>);

#[async_trait]
impl Handler for Recording {
    async fn handle(&self, request: Request) -> Response {
        self.0.lock().expect("no test panics with the lock").push(request);
        empty(StatusCode::OK)
    }
}

/// An event as API Gateway writes it, with members replaced.
fn event(changes: &[(&str, Value)]) -> String {
    let mut event = json!({
        "version": "2.0",
        "routeKey": "GET /landing",
        "rawPath": "/landing",
        "rawQueryString": "",
        "headers": { "host": "api.example.com", "x-forwarded-proto": "https" },
        "requestContext": {
            "stage": "$default",
            "timeEpoch": 0,
            "http": {
                "method": "GET",
                "path": "/landing",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test"
            }
        },
        "isBase64Encoded": false
    });
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').expect("a JSON pointer");
        event.pointer_mut(parent).expect("the parent exists")[name] = value.clone();
    }
    event.to_string()
}

async fn asked(changes: &[(&str, Value)]) -> Request {
    let handler = Recording::default();
    let answer = answer(&handler, Access::Public, &event(changes)).await;
    assert_eq!(answer.status_code, 200);
    handler.0.into_inner().expect("no test panics with the lock").remove(0)
}

async fn path_of(changes: &[(&str, Value)]) -> String {
    asked(changes).await.uri().path().to_owned()
}

#[tokio::test]
async fn an_event_that_makes_no_request_is_answered_400() {
    for change in [
        ("/rawQueryString", json!("token=<")),
        ("/rawPath", json!("/landing\u{7f}")),
        ("/headers/host", json!("two\nlines")),
        ("/cookies", json!(["session=a\nb"])),
        ("/requestContext/http/method", json!("no method")),
        ("/requestContext/http", json!({})),
        ("/headers", json!({ "no header": "1" })),
    ] {
        let handler = Recording::default();
        let answer = answer(&handler, Access::Public, &event(std::slice::from_ref(&change))).await;
        assert_eq!(answer.status_code, 400, "{change:?}");
        assert!(handler.0.into_inner().expect("unlocked").is_empty(), "{change:?}");
    }
    for event in ["null", "[]", r#"{"source":"aws.events"}"#] {
        assert_eq!(
            answer(&Recording::default(), Access::Public, event).await.status_code,
            400,
            "{event}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_no_base64_is_answered_400() {
    let event = event(&[("/body", json!("%")), ("/isBase64Encoded", json!(true))]);
    assert_eq!(answer(&Recording::default(), Access::Public, &event).await.status_code, 400);
}

#[tokio::test]
async fn headers_that_make_no_url_reach_the_handler_as_headers() {
    for (name, value) in [
        ("/headers/host", "api.example.com:99999"),
        ("/headers/host", "<>"),
        ("/headers/x-forwarded-proto", "http,https"),
        ("/headers/x-forwarded-port", "-1"),
    ] {
        assert_eq!(path_of(&[(name, json!(value))]).await, "/landing", "{name}: {value}");
    }
}

#[tokio::test]
async fn the_handler_decides_how_a_malformed_request_is_refused() {
    struct Unavailable;
    #[async_trait]
    impl Handler for Unavailable {
        async fn handle(&self, _: Request) -> Response {
            empty(StatusCode::OK)
        }
        fn refuse(&self, mut problem: Problem) -> Response {
            problem.status = StatusCode::SERVICE_UNAVAILABLE;
            problem.into()
        }
    }
    assert_eq!(answer(&Unavailable, Access::Public, "null").await.status_code, 503);
}

#[tokio::test]
async fn the_path_of_a_named_stage_is_the_routes() {
    let stage = ("/requestContext/stage", json!("prod"));
    let path = ("/rawPath", json!("/prod/landing"));
    assert_eq!(path_of(&[stage.clone(), path.clone()]).await, "/landing");
    let catch_all = ("/routeKey", json!("$default"));
    assert_eq!(path_of(&[stage, path, catch_all]).await, "/landing");
}

#[tokio::test]
async fn the_path_under_a_domains_mapping_key_is_the_routes() {
    let path = ("/rawPath", json!("/shop/eu/landing"));
    assert_eq!(path_of(std::slice::from_ref(&path)).await, "/landing");
    let route = ("/routeKey", json!("GET /{proxy+}"));
    let rest = ("/pathParameters", json!({ "proxy": "landing" }));
    assert_eq!(path_of(&[path, route, rest]).await, "/landing");
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_path_is_dropped() {
    assert_eq!(path_of(&[("/rawPath", json!("/landing/"))]).await, "/landing");
    let route = ("/routeKey", json!("$default"));
    assert_eq!(path_of(&[("/rawPath", json!("/landing/")), route]).await, "/landing");
    assert_eq!(path_of(&[("/rawPath", json!("/")), ("/routeKey", json!("GET /"))]).await, "/");
}

#[tokio::test]
async fn a_parameter_in_the_route_keeps_its_value() {
    let route = ("/routeKey", json!("GET /subscriptions/{id}/operations/{operationId}"));
    let path = ("/rawPath", json!("/prod/subscriptions/a%2Fb/operations/c"));
    assert_eq!(path_of(&[route, path]).await, "/subscriptions/a%2Fb/operations/c");
}

#[tokio::test]
async fn query_cookies_and_body_reach_the_handler() {
    let request = asked(&[
        ("/rawQueryString", json!("token=a%2Bb")),
        ("/cookies", json!(["a=1", "b=2"])),
        ("/body", json!("aGVsbG8=")),
        ("/isBase64Encoded", json!(true)),
    ])
    .await;
    assert_eq!(request.uri().query(), Some("token=a%2Bb"));
    assert_eq!(request.headers()[COOKIE], "a=1; b=2");
    assert_eq!(request.body().as_ref(), b"hello");
}

#[tokio::test]
async fn cookies_and_bytes_reach_the_gateway_in_its_own_form() {
    struct Logo;
    #[async_trait]
    impl Handler for Logo {
        async fn handle(&self, _: Request) -> Response {
            let mut response = Response::new(bytes::Bytes::from_static(b"\xff\x00"));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("image/png"));
            headers.append(SET_COOKIE, HeaderValue::from_static("a=1"));
            headers.append(SET_COOKIE, HeaderValue::from_static("b=2"));
            response
        }
    }
    let answer =
        serde_json::to_value(answer(&Logo, Access::Public, &event(&[])).await).expect("it is JSON");
    assert_eq!(answer["cookies"], json!(["a=1", "b=2"]));
    let version = version::version();
    let headers = json!({ "content-type": "image/png", "service-version": version });
    assert_eq!(answer["headers"], headers);
    assert_eq!(answer["body"], json!("/wA="));
    assert_eq!(answer["isBase64Encoded"], json!(true));
}

/// What API Gateway and function URLs with `AWS_IAM` add to an event.
fn signed_by(arn: &str) -> (&'static str, Value) {
    ("/requestContext/authorizer", json!({ "iam": { "userArn": arn, "accessKey": "ASIAXMPL" } }))
}

#[tokio::test]
async fn a_function_that_requires_a_signature_is_not_called_without_one() {
    for authorizer in [
        json!(null),
        json!({}),
        json!({ "iam": {} }),
        json!({ "jwt": { "claims": { "sub": "someone" }, "scopes": [] } }),
    ] {
        let handler = Recording::default();
        let event = event(&[("/requestContext/authorizer", authorizer.clone())]);
        let answer = answer(&handler, Access::Signed, &event).await;
        assert_eq!(answer.status_code, 401, "{authorizer}");
        assert!(handler.0.into_inner().expect("unlocked").is_empty(), "{authorizer}");
    }
}

#[tokio::test]
async fn the_principal_of_a_signed_request_reaches_the_handler() {
    const ARN: &str = "arn:aws:sts::123456789012:assumed-role/portal/portal";
    let handler = Recording::default();
    let answer = answer(&handler, Access::Signed, &event(&[signed_by(ARN)])).await;
    assert_eq!(answer.status_code, 200);
    let request = handler.0.into_inner().expect("unlocked").remove(0);
    assert_eq!(Principal::of(&request).as_deref(), Some(ARN));
    assert_eq!(Principal::access_key_id(&request), Some("ASIAXMPL"));
}

#[test]
fn the_text_of_a_principal_holds_no_email_address() {
    let text = |arn: &str| Principal::new(arn.to_owned()).to_string();
    assert_eq!(
        text("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin/adele@contoso.example"),
        "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin"
    );
    for arn in ["arn:aws:iam::123456789012:user/portal", "arn:aws:iam::123456789012:root"] {
        assert_eq!(text(arn), arn);
    }
}

#[test]
fn a_person_at_the_console_is_stored_by_name_and_logged_by_object_id() {
    let person = Uuid::from_u128(7);
    let mut request = Request::default();
    assert_eq!((Principal::of(&request), Principal::logged(&request)), (None, None));
    request.extensions_mut().insert(Principal::staff("Ada\u{1b}[2J Admin", person));
    let stored = format!("console: Ada[2J Admin ({person})");
    assert_eq!(Principal::of(&request), Some(stored));
    assert_eq!(Principal::logged(&request), Some(format!("console: {person}")));
    assert_eq!(Principal::access_key_id(&request), None);
}

/// A handler that answers every request with a body.
struct Showing;

#[async_trait]
impl Handler for Showing {
    async fn handle(&self, _: Request) -> Response {
        json_response(StatusCode::OK, &json!({ "a": "page" }))
    }
}

#[tokio::test]
async fn the_answer_to_a_head_has_no_body() {
    for (method, has_body) in [("GET", true), ("HEAD", false), ("POST", true)] {
        let event = event(&[("/requestContext/http/method", json!(method))]);
        let answer = answer(&Showing, Access::Public, &event).await;
        assert_eq!(answer.status_code, 200);
        assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
        assert_eq!(answer.body.is_some(), has_body, "{method}");
    }
}

#[tokio::test]
async fn every_answer_names_the_version_and_so_does_a_refusal() {
    for (access, event, status) in [
        (Access::Public, event(&[]), 200),
        (Access::Signed, event(&[]), 401),
        (Access::Public, "no event".to_owned(), 400),
    ] {
        let answer = answer(&Recording::default(), access, &event).await;
        assert_eq!(answer.status_code, status);
        assert_eq!(answer.headers[version::HEADER], version::version(), "{status}");
    }
}
