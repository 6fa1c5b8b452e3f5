//! The call that erases personal data.

use emulator::Purchase;
use http::Method;
use uuid::Uuid;

use super::description::Caller;
use crate::erasure_env::ended;

/// Makes the call with each of its answers. Without a receiver, no event waits for one.
pub(super) async fn call(caller: &mut Caller<'_>) {
    let env = caller.env;
    let active = env.active(Purchase::flat_rate("silver")).await;
    let ended = ended(env).await;
    let nobody = Uuid::from_u128(0xabc);
    for (id, headers, status) in [
        ("x".to_owned(), vec![], 400),
        (nobody.to_string(), vec![], 404),
        (active.to_string(), vec![], 409),
        (ended.to_string(), vec![("if-match", "\"999\"")], 412),
        (ended.to_string(), vec![], 200),
    ] {
        let path = format!("/subscriptions/{id}/erase");
        let answer = caller.call(Method::POST, &path, &headers, "").await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}
