//! Bodies in older, newer and unreadable forms: T-21.

use emulator::{Action, Purchase, TokenVersion, WebhookForm};
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_env::TestEnv;
use crate::webhook_calls::{ACTIONS, event_of};

/// Rewrites a genuine body in another form.
type Form = fn(Value) -> String;

const UNKNOWN: Uuid = Uuid::from_u128(0xdead);

#[tokio::test]
async fn t_21_every_action_works_in_the_sparse_form() {
    for (policy, change) in [("accept", 200), ("reject", 400)] {
        let env = TestEnv::with(Options::default().with("CHANGE_POLICY", policy)).await;
        env.world(|world| world.settings_mut().behaviour.webhook_form = WebhookForm::Sparse);
        for action in ACTIONS {
            let (id, _) = env.about_to(&action).await;
            let is_change = matches!(action, Action::ChangePlan | Action::ChangeQuantity);
            let expected = if is_change { change } else { 200 };
            assert_eq!(env.deliver_statuses().await, [expected], "{action:?}, {policy}");
            let times = usize::from(expected == 200);
            assert_eq!(env.count(id, event_of(&action)).await, times, "{action:?}, {policy}");
            env.assert_agrees(id, &format!("{action:?}, {policy}")).await;
        }
    }
}

#[tokio::test]
async fn t_21_a_body_of_sixty_four_kilobytes_is_read_and_a_longer_one_is_a_5xx() {
    // F-WHP-9: real bodies have around two kilobytes.
    let env = TestEnv::new().await;
    let (id, operation) = env.about_to(&Action::ChangePlan).await;
    let body = env.body_of(operation).to_string();
    let longest = body.clone() + &" ".repeat(64 * 1024 - body.len());
    assert!(env.signed(format!("{longest} ")).await.status.is_server_error());
    assert_eq!(env.count(id, "PlanChanged").await, 0);
    assert_eq!(env.signed(longest).await.status, 200);
    assert_eq!(env.count(id, "PlanChanged").await, 1);
}

#[tokio::test]
async fn t_21_the_very_old_form_only_triggers_a_read_of_microsofts_copy() {
    // F-WHP-6: a body without an operation id only leads to a read of the subscription.
    let env = TestEnv::new().await;
    env.world(|world| world.settings_mut().behaviour.webhook_form = WebhookForm::VeryOld);
    for action in ACTIONS {
        let (id, _) = env.about_to(&action).await;
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(env.acknowledgements(), [] as [Value; 0], "{action:?}");
        let waits =
            matches!(action, Action::ChangePlan | Action::ChangeQuantity | Action::Reinstate);
        let times = usize::from(!waits);
        assert_eq!(env.count(id, event_of(&action)).await, times, "{action:?}");
        env.pass(600);
        env.system.reconcile().await.expect("a run");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_21_every_action_works_with_padded_words_text_numbers_and_unknown_members() {
    // F-GEN-10, F-GEN-11, F-WHP-7, F-OBJ-4.
    let env = TestEnv::new().await;
    env.world(|world| {
        let oddities = &mut world.settings_mut().oddities;
        oddities.padded_strings = true;
        oddities.numbers_as_strings = true;
        oddities.extra_fields = true;
        oddities.null_person_ids = true;
        oddities.term_unit = Some("PAY".into());
    });
    for action in ACTIONS {
        let (id, _) = env.about_to(&action).await;
        assert_eq!(env.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(env.count(id, event_of(&action)).await, 1, "{action:?}");
        env.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_21_a_byte_order_mark_older_names_and_new_members_do_no_harm() {
    let forms: [(&str, Form); 5] = [
        ("a byte order mark", |body| format!("\u{feff}{body}")),
        ("operationId", |mut body| {
            body["operationId"] = body["id"].take();
            body.to_string()
        }),
        ("both names", |mut body| {
            body["operationId"] = body["id"].clone();
            body["operationType"] = body["action"].clone();
            body.to_string()
        }),
        ("deep and wide members", |mut body| {
            body["new"] = json!({ "list": vec![json!({ "a": [[[[1]]]] }); 200] });
            body.to_string()
        }),
        ("lower case", |mut body| {
            body["action"] = json!("changequantity");
            body.to_string()
        }),
    ];
    let env = TestEnv::new().await;
    for (case, form) in forms {
        let (id, operation) = env.about_to(&Action::ChangeQuantity).await;
        let answer = env.signed(form(env.body_of(operation))).await;
        assert_eq!(answer.status, 200, "{case}");
        assert_eq!(env.count(id, "QuantityChanged").await, 1, "{case}");
        env.assert_agrees(id, case).await;
        env.world(|world| world.lose_deliveries());
    }
}

#[tokio::test]
async fn t_21_an_unknown_action_is_answered_200_and_changes_nothing() {
    // F-WHA-9, F-WHA-17.
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    let before = env.events(id).await;
    for word in ["Transfer", "Suspended", "ChangePlan2", "плати", "<script>", "DROP TABLE"] {
        env.world(|world| world.queue_unknown_action(id, word)).expect("a notice");
        env.world(|world| world.clear_calls());
        assert_eq!(env.deliver_statuses().await, [200], "{word}");
        assert_eq!(env.acknowledgements(), [] as [Value; 0], "{word}");
        assert_eq!(env.events(id).await, before, "{word}");
    }
    let elsewhere = json!({ "subscriptionId": UNKNOWN, "action": "Transfer" });
    assert_eq!(env.signed(elsewhere.to_string()).await.status, 200);
}

#[tokio::test]
async fn t_21_an_unreadable_body_is_a_5xx_and_never_a_rejection() {
    // F-WHA-13.
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    let (id, operation) = env.about_to(&Action::ChangePlan).await;
    let body = env.body_of(operation).to_string();
    let with = |filler: usize| {
        let mut body = env.body_of(operation);
        body["filler"] = json!("x".repeat(filler));
        body.to_string().into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("an empty body", vec![]),
        ("half a body", body.as_bytes()[..body.len() / 2].to_vec()),
        ("a trailing comma", body.replace("}", ",}").into_bytes()),
        ("two bodies", [body.as_bytes(), body.as_bytes()].concat()),
        ("a form", b"action=ChangePlan".to_vec()),
        ("a list", format!("[{body}]").into_bytes()),
        ("null", b"null".to_vec()),
        ("no members", b"{}".to_vec()),
        ("no action", json!({ "subscriptionId": id }).to_string().into_bytes()),
        ("no subscription", br#"{"action":"ChangePlan"}"#.to_vec()),
        (
            "a subscription that is no GUID",
            br#"{"action":"ChangePlan","subscriptionId":"x"}"#.to_vec(),
        ),
        ("not UTF-8", [&b"\xff\xfe"[..], body.as_bytes()].concat()),
        ("10 000 levels", format!("{{\"action\":{}", "[".repeat(10_000)).into_bytes()),
        ("more than 64 KB", with(64 * 1024)),
        ("10 MB", with(10 * 1024 * 1024)),
    ];
    env.world(|world| world.clear_calls());
    for (case, body) in cases {
        // Without a token the body is not read.
        let stranger = env.call(body.clone(), None).await.status;
        assert!(stranger == 401 || stranger.is_server_error(), "{case}: {stranger}");
        let answer = env.signed(body).await;
        assert!(answer.status.is_server_error(), "{case}: {}", answer.status);
        assert_eq!(env.acknowledgements(), [] as [Value; 0], "{case}");
    }
    assert_eq!(env.world(|world| world.operation(operation)).status, "InProgress");
    // A body of 60 KB with an unknown member is read.
    assert_eq!(env.signed(with(60 * 1024)).await.status, 400, "the policy's own answer");
}

#[tokio::test]
async fn content_type_and_query_are_ignored_but_the_method_is_checked() {
    let env = TestEnv::new().await;
    for content_type in [None, Some("text/plain"), Some("application/json; charset=utf-8")] {
        let (id, operation) = env.about_to(&Action::ChangePlan).await;
        let mut request = env
            .http
            .post(env.url("/webhook?code=key"))
            .header("authorization", env.authorization(TokenVersion::V2))
            .body(env.body_of(operation).to_string());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        assert_eq!(env.send(request).await.status, 200, "{content_type:?}");
        env.assert_agrees(id, "changed").await;
        env.world(|world| world.lose_deliveries());
    }
    let (id, operation) = env.about_to(&Action::ChangePlan).await;
    let put = env.http.put(env.url("/webhook"));
    let put = put.header("authorization", env.authorization(TokenVersion::V1));
    let answer = env.send(put.body(env.body_of(operation).to_string())).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["allow"]),
        (405, &"POST".parse().expect("text"))
    );
    assert_eq!(env.count(id, "PlanChanged").await, 0);
}
