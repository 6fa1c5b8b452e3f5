//! The calls about the settings of offers.

use http::Method;
use serde_json::json;

use super::description::Caller;
use crate::offers::complete;
use crate::test_env::Answer;

/// The condition that the offers have another version.
const OTHER: [(&str, &str); 1] = [("if-match", "\"7\"")];

async fn call_offers(
    caller: &mut Caller<'_>,
    method: Method,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    caller.call(method, "/offers", headers, body).await
}

/// Makes each call with each of its answers.
pub(super) async fn call(caller: &mut Caller<'_>) {
    let none = caller.get("/offers").await;
    assert_eq!((none.json(), &none.headers["etag"]), (json!({}), &"\"0\"".parse().expect("text")));
    caller.get("/offers?offer=fleet").await;
    let set = call_offers(caller, Method::PUT, &[], &complete().to_string()).await;
    assert_eq!(set.status, 200, "{}", set.body);
    assert_eq!(caller.get("/offers").await.json(), complete());
    for (body, status) in [("", 400), ("[]", 400), (r#"{"fleet":{"title":"Fleet"}}"#, 400)] {
        assert_eq!(call_offers(caller, Method::PUT, &[], body).await.status, status, "{body}");
    }
    assert_eq!(call_offers(caller, Method::PUT, &OTHER, "{}").await.status, 412);
    assert_eq!(caller.call(Method::DELETE, "/offers?now=1", &[], "").await.status, 400);
    assert_eq!(call_offers(caller, Method::DELETE, &OTHER, "").await.status, 412);
    let cleared = call_offers(caller, Method::DELETE, &[("if-match", "\"1\"")], "").await;
    assert_eq!((cleared.status.as_u16(), cleared.json()), (200, json!({})));
}
