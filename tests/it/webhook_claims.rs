//! Bodies that lie, and bodies in other forms than the present one: T-20, T-21 and T-22.

use emulator::{Action, Purchase, TokenVersion, WebhookForm};
use local::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scene::Scene;
use crate::webhook_calls::{ACTIONS, event_of};

/// Changes one thing about a true body.
type Lie = fn(&mut Value, &Other);

/// What else exists in the same world.
struct Other {
    subscription: Uuid,
    operation: Uuid,
}

const UNKNOWN: Uuid = Uuid::from_u128(0xdead);

#[tokio::test]
async fn t_20_a_change_that_contradicts_its_operation_has_no_effect_and_is_answered_200() {
    // F-WHS-1, F-WHS-2; never a 4xx, which would refuse the true change (F-WHA-13).
    let lies: [(&str, Action, Lie); 9] = [
        ("an unknown id", Action::ChangePlan, |body, _| body["id"] = json!(UNKNOWN)),
        ("another's operation", Action::ChangePlan, |body, other| {
            body["id"] = json!(other.operation);
        }),
        ("another's subscription", Action::ChangePlan, |body, other| {
            body["subscriptionId"] = json!(other.subscription);
        }),
        ("an unknown subscription", Action::ChangePlan, |body, _| {
            body["subscriptionId"] = json!(UNKNOWN);
        }),
        ("another action", Action::ChangePlan, |body, _| body["action"] = json!("ChangeQuantity")),
        ("another plan", Action::ChangePlan, |body, _| body["planId"] = json!("gold")),
        ("another action", Action::ChangeQuantity, |body, _| body["action"] = json!("ChangePlan")),
        ("other seats", Action::ChangeQuantity, |body, _| body["quantity"] = json!(99)),
        ("an unknown id", Action::ChangeQuantity, |body, _| body["id"] = json!(UNKNOWN)),
    ];
    for (policy, truth, not_found_is_400) in [("accept", 200, false), ("reject", 400, true)] {
        let scene = Scene::with(Options::default().with("CHANGE_POLICY", policy)).await;
        scene.world(|world| world.settings_mut().behaviour.not_found_is_400 = not_found_is_400);
        for (what, action, lie) in &lies {
            let (subscription, operation) = scene.about_to(&Action::Renew).await;
            scene.deliver_all().await;
            let (id, true_operation) = scene.about_to(action).await;
            let mut body = scene.body_of(true_operation);
            lie(&mut body, &Other { subscription, operation });
            let before = (scene.events(id).await, scene.events(subscription).await);
            scene.world(|world| world.clear_calls());
            let case = format!("{action:?} with {what}, {policy}");

            assert_eq!(scene.signed(body.to_string()).await.status, 200, "{case}");
            assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{case}");
            let after = (scene.events(id).await, scene.events(subscription).await);
            assert_eq!(after, before, "{case}");
            assert!(scene.record(UNKNOWN).await.is_none(), "{case}");

            assert_eq!(scene.deliver_statuses().await, [truth], "{case}: the true call");
            scene.assert_agrees(id, &case).await;
        }
    }
}

#[tokio::test]
async fn t_20_a_reinstatement_that_nothing_confirms_restores_nothing() {
    let scene = Scene::new().await;
    let (other, others) = scene.about_to(&Action::Reinstate).await;
    scene.deliver_all().await;
    let id = scene.active(Purchase::flat_rate("silver")).await;
    let suspension = scene.world(|world| world.suspend(id)).expect("a suspension");
    scene.deliver_all().await;
    scene.pass(600);
    let mut body = scene.body_of(suspension);
    body["action"] = json!("Reinstate");
    body["status"] = json!("InProgress");
    body["subscription"]["saasSubscriptionStatus"] = json!("Subscribed");
    let before = (scene.events(id).await, scene.events(other).await);
    scene.world(|world| world.clear_calls());
    for operation in [json!(suspension), json!(others), json!(UNKNOWN), Value::Null] {
        body["id"] = operation.clone();
        assert_eq!(scene.signed(body.to_string()).await.status, 200, "{operation}");
        assert_eq!(scene.acknowledgements(), [] as [Value; 0], "{operation}");
        assert_eq!((scene.events(id).await, scene.events(other).await), before, "{operation}");
    }
}

#[tokio::test]
async fn t_22_a_forged_notice_has_no_effect_while_microsoft_says_otherwise() {
    // F-WHS-3: Get Subscription decides, whatever the body embeds.
    let scene = Scene::new().await;
    let id = scene.active(Purchase::per_seat("basic", 10)).await;
    let change = scene.world(|world| world.change_quantity(id, 20)).expect("a change");
    assert_eq!(scene.deliver_statuses().await, [200]);
    scene.pass(600);
    let before = scene.events(id).await;
    for (word, status) in [
        ("Suspend", "Suspended"),
        ("suspend", "Suspended"),
        ("Unsubscribe", "Unsubscribed"),
        ("Renew", "Subscribed"),
        ("Subscribe", "Subscribed"),
        ("Reinstate", "Subscribed"),
    ] {
        for operation in [json!(UNKNOWN), json!(change), Value::Null] {
            let mut body = scene.body_of(change);
            body["id"] = operation.clone();
            body["action"] = json!(word);
            body["status"] = json!("Succeeded");
            body["planId"] = json!("team");
            body["quantity"] = json!(1);
            body["subscription"]["saasSubscriptionStatus"] = json!(status);
            body["subscription"]["planId"] = json!("team");
            let answer = scene.signed(body.to_string()).await;
            assert_eq!(answer.status, 200, "{word} {operation}");
            assert_eq!(scene.events(id).await, before, "{word} {operation}");
        }
    }
    scene.assert_agrees(id, "forged").await;
}

#[tokio::test]
async fn t_22_a_call_about_a_subscription_microsoft_doesnt_know_creates_nothing() {
    let scene = Scene::new().await;
    for action in ACTIONS {
        for operation in [json!(UNKNOWN), Value::Null] {
            let body =
                json!({ "id": operation, "subscriptionId": UNKNOWN, "action": action.as_str() });
            let answer = scene.signed(body.to_string()).await;
            assert_eq!(answer.status, 200, "{body}");
            assert!(scene.record(UNKNOWN).await.is_none(), "{body}");
        }
    }
}

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
    let forms: [(&str, fn(Value) -> String); 5] = [
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
