//! Bodies in other forms than the present one, and what is no body at all: T-21.

use emulator::{Action, Purchase, TokenVersion, WebhookForm};
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scene::Scene;
use crate::webhook_calls::{ACTIONS, event_of};

/// A true body in another form.
type Form = fn(Value) -> String;

const UNKNOWN: Uuid = Uuid::from_u128(0xdead);

#[tokio::test]
async fn t_21_the_sparse_form_serves_every_action() {
    for (policy, change) in [("accept", 200), ("reject", 400)] {
        let scene = Scene::with(Options::default().with("CHANGE_POLICY", policy)).await;
        scene.world(|world| world.settings_mut().behaviour.webhook_form = WebhookForm::Sparse);
        for action in ACTIONS {
            let (id, _) = scene.about_to(&action).await;
            let is_change = matches!(action, Action::ChangePlan | Action::ChangeQuantity);
            let expected = if is_change { change } else { 200 };
            assert_eq!(scene.deliver_statuses().await, [expected], "{action:?}, {policy}");
            let times = usize::from(expected == 200);
            assert_eq!(scene.count(id, event_of(&action)).await, times, "{action:?}, {policy}");
            scene.assert_agrees(id, &format!("{action:?}, {policy}")).await;
        }
    }
}

#[tokio::test]
async fn t_21_a_body_of_sixty_four_kilobytes_is_read_and_a_longer_one_is_a_5xx() {
    // F-WHP-9: real ones are around two.
    let scene = Scene::new().await;
    let (id, operation) = scene.about_to(&Action::ChangePlan).await;
    let body = scene.body_of(operation).to_string();
    let longest = body.clone() + &" ".repeat(64 * 1024 - body.len());
    assert!(scene.signed(format!("{longest} ")).await.status.is_server_error());
    assert_eq!(scene.count(id, "PlanChanged").await, 0);
    assert_eq!(scene.signed(longest).await.status, 200);
    assert_eq!(scene.count(id, "PlanChanged").await, 1);
}

#[tokio::test]
async fn t_21_the_very_old_form_changes_nothing_by_itself_and_microsofts_copy_is_adopted() {
    // F-WHP-6: without an id it's a hint to look.
    let scene = Scene::new().await;
    scene.world(|world| world.settings_mut().behaviour.webhook_form = WebhookForm::VeryOld);
    for action in ACTIONS {
        let (id, _) = scene.about_to(&action).await;
        scene.world(|world| world.clear_calls());
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{action:?}");
        let waits =
            matches!(action, Action::ChangePlan | Action::ChangeQuantity | Action::Reinstate);
        let times = usize::from(!waits);
        assert_eq!(scene.count(id, event_of(&action)).await, times, "{action:?}");
        scene.pass(600);
        scene.stage.reconcile().await.expect("a run");
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_21_padded_words_numbers_as_text_and_unknown_members_serve_every_action() {
    // F-GEN-10, F-GEN-11, F-WHP-7, F-OBJ-4.
    let scene = Scene::new().await;
    scene.world(|world| {
        let oddities = &mut world.settings_mut().oddities;
        oddities.padded_strings = true;
        oddities.numbers_as_strings = true;
        oddities.extra_fields = true;
        oddities.null_person_ids = true;
        oddities.term_unit = Some("PAY".into());
    });
    for action in ACTIONS {
        let (id, _) = scene.about_to(&action).await;
        assert_eq!(scene.deliver_statuses().await, [200], "{action:?}");
        assert_eq!(scene.count(id, event_of(&action)).await, 1, "{action:?}");
        scene.assert_agrees(id, &format!("{action:?}")).await;
    }
}

#[tokio::test]
async fn t_21_a_byte_order_mark_an_older_name_and_members_of_tomorrow_do_no_harm() {
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
    let scene = Scene::new().await;
    for (what, form) in forms {
        let (id, operation) = scene.about_to(&Action::ChangeQuantity).await;
        let answer = scene.signed(form(scene.body_of(operation))).await;
        assert_eq!(answer.status, 200, "{what}");
        assert_eq!(scene.count(id, "QuantityChanged").await, 1, "{what}");
        scene.assert_agrees(id, what).await;
        scene.world(|world| world.lose_deliveries());
    }
}

#[tokio::test]
async fn t_21_an_action_nobody_knows_is_answered_200_and_changes_nothing() {
    // F-WHA-9, F-WHA-17.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let before = scene.events(id).await;
    for word in ["Transfer", "Suspended", "ChangePlan2", "плати", "<script>", "DROP TABLE"] {
        scene.world(|world| world.queue_unknown_action(id, word)).expect("a notice");
        scene.world(|world| world.clear_calls());
        assert_eq!(scene.deliver_statuses().await, [200], "{word}");
        assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{word}");
        assert_eq!(scene.events(id).await, before, "{word}");
    }
    let elsewhere = json!({ "subscriptionId": UNKNOWN, "action": "Transfer" });
    assert_eq!(scene.signed(elsewhere.to_string()).await.status, 200);
}

#[tokio::test]
async fn t_21_a_body_that_cant_be_read_is_a_5xx_and_never_a_rejection() {
    // F-WHA-13.
    let scene = Scene::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    let (id, operation) = scene.about_to(&Action::ChangePlan).await;
    let body = scene.body_of(operation).to_string();
    let with = |filler: usize| {
        let mut body = scene.body_of(operation);
        body["filler"] = json!("x".repeat(filler));
        body.to_string().into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("half of it", body.as_bytes()[..body.len() / 2].to_vec()),
        ("a trailing comma", body.replace("}", ",}").into_bytes()),
        ("two of them", [body.as_bytes(), body.as_bytes()].concat()),
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
    scene.world(|world| world.clear_calls());
    for (what, body) in cases {
        // Without a token nobody reads it.
        let stranger = scene.call(body.clone(), None).await.status;
        assert!(stranger == 401 || stranger.is_server_error(), "{what}: {stranger}");
        let answer = scene.signed(body).await;
        assert!(answer.status.is_server_error(), "{what}: {}", answer.status);
        assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{what}");
    }
    assert_eq!(scene.world(|world| world.operation(operation)).status, "InProgress");
    // The largest that is read, and one nested as deep as it fits in a member nobody reads.
    assert_eq!(scene.signed(with(60 * 1024)).await.status, 400, "the policy's own answer");
}

#[tokio::test]
async fn the_content_type_and_the_query_dont_matter_and_the_method_does() {
    let scene = Scene::new().await;
    for content_type in [None, Some("text/plain"), Some("application/json; charset=utf-8")] {
        let (id, operation) = scene.about_to(&Action::ChangePlan).await;
        let mut request = scene
            .http
            .post(scene.url("/webhook?code=key"))
            .header("authorization", scene.authorization(TokenVersion::V2))
            .body(scene.body_of(operation).to_string());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        assert_eq!(scene.send(request).await.status, 200, "{content_type:?}");
        scene.assert_agrees(id, "changed").await;
        scene.world(|world| world.lose_deliveries());
    }
    let (id, operation) = scene.about_to(&Action::ChangePlan).await;
    let put = scene.http.put(scene.url("/webhook"));
    let put = put.header("authorization", scene.authorization(TokenVersion::V1));
    let answer = scene.send(put.body(scene.body_of(operation).to_string())).await;
    assert_eq!(answer.status, 404);
    assert_eq!(scene.count(id, "PlanChanged").await, 0);
}
