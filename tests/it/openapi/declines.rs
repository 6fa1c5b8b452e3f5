//! The call that declines a purchase.

use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use http::Method;
use uuid::Uuid;

use super::description::Caller;

/// Makes the call with each of its answers. `begun` is being activated.
pub(super) async fn call(caller: &mut Caller<'_>, begun: Uuid) {
    let env = caller.env;
    let pending = env.purchase(Purchase::flat_rate("silver"));
    env.visit(pending).await;
    let declined = env.purchase(Purchase::flat_rate("silver"));
    let nobody = Uuid::from_u128(0xabc);
    let no = r#"{"reason":"no"}"#;
    let key = ("idempotency-key", "declined");
    for (id, headers, body, status) in [
        ("x".to_owned(), vec![], no, 400),
        (pending.to_string(), vec![], "{}", 400),
        (nobody.to_string(), vec![], no, 404),
        (begun.to_string(), vec![], no, 409),
        (pending.to_string(), vec![("if-match", "\"999\"")], no, 412),
        (pending.to_string(), vec![key], no, 202),
        (pending.to_string(), vec![key], no, 202),
        (pending.to_string(), vec![key], r#"{"reason":"never"}"#, 422),
    ] {
        let path = format!("/subscriptions/{id}/decline");
        let answer = caller.call(Method::POST, &path, &headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    env.fault(Call::DeleteSubscription, FaultKind::LoseAnswer, Times::Once);
    let path = format!("/subscriptions/{declined}/decline");
    assert_eq!(caller.call(Method::POST, &path, &[], no).await.status, 504);
    env.deliver_all().await;
    assert_eq!(caller.call(Method::POST, &path, &[], no).await.status, 409);
    env.fault(Call::GetSubscription, FaultKind::Status(400, ErrorForm::Object), Times::Once);
    assert_eq!(caller.call(Method::POST, &path, &[], no).await.status, 409);
}
