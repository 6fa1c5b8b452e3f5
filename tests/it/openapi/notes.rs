//! The calls about notes.

use emulator::Purchase;
use http::Method;
use serde_json::json;
use uuid::Uuid;

use super::description::Caller;
use crate::erasure_env::{ended, erased};

/// Makes each call with each of its answers.
pub(super) async fn call(caller: &mut Caller<'_>) {
    let env = caller.env;
    let active = env.active(Purchase::flat_rate("silver")).await;
    let gone = ended(env).await;
    erased(env, gone).await;
    let nobody = Uuid::from_u128(0xabc);
    let key = [("idempotency-key", "a")];
    for (id, headers, body, status) in [
        ("x".to_owned(), &[][..], r#"{"text":"a"}"#, 400),
        (nobody.to_string(), &[], r#"{"text":"a"}"#, 404),
        (gone.to_string(), &[], r#"{"text":"a"}"#, 409),
        (active.to_string(), &[], r#"{"text":" "}"#, 400),
        (active.to_string(), &[], r#"{"text":"a"}"#, 201),
        (active.to_string(), &key, r#"{"text":"a"}"#, 201),
        (active.to_string(), &key, r#"{"text":"a"}"#, 201),
        (active.to_string(), &key, r#"{"text":"b"}"#, 422),
    ] {
        let path = format!("/subscriptions/{id}/notes");
        let answer = caller.call(Method::POST, &path, headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    for (id, status) in
        [("x".to_owned(), 400), (nobody.to_string(), 404), (active.to_string(), 200)]
    {
        let answer = caller.get(&format!("/subscriptions/{id}/notes")).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let answer = caller.get(&format!("/subscriptions/{gone}/notes")).await;
    assert_eq!(answer.json(), json!({ "notes": [] }));
}
