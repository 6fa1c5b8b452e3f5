//! The calls about the receivers of events.

use super::description::Caller;

/// Makes each call with each of its answers.
pub(super) async fn call(caller: &mut Caller<'_>) {
    caller.get("/receivers").await;
    caller.get("/receivers?sort=name").await;
    for name in ["crm", "endpoint"] {
        let pause = format!("/receivers/{name}/pause");
        let answer = caller.post(&pause, r#"{"note":"it moves"}"#).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let since = answer.json()["paused"]["since"].clone();
        let again = caller.post(&pause, "").await.json();
        assert_eq!((&again["paused"]["since"], &again["paused"]["note"]), (&since, &"".into()));
        assert_eq!(caller.post(&pause, r#"{"note":1}"#).await.status, 400);
        for _ in 0..2 {
            let answer = caller.post(&format!("/receivers/{name}/resume"), "").await;
            assert_eq!(answer.status, 200);
            assert!(answer.json()["paused"].is_null(), "{}", answer.body);
        }
        caller.post(&format!("/receivers/{name}/resume?now=1"), "").await;
    }
    for action in ["pause", "resume"] {
        let unknown = caller.post(&format!("/receivers/other/{action}"), "").await;
        assert_eq!(unknown.json()["code"], "unknown_receiver", "{}", unknown.body);
    }
    for (name, status) in [("crm", 202), ("other", 404), ("O", 404)] {
        let body = format!(r#"{{"state":"parked","receiver":"{name}"}}"#);
        assert_eq!(caller.post("/deliveries/recover", &body).await.status, status, "{name}");
    }
}
