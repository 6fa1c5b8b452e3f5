//! The same world over HTTP: addresses, faults on the wire, deliveries.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use emulator::{Call, Emulator, FaultKind, Purchase, Settings};
use http::StatusCode;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// A publisher's webhook that answers with the given statuses in order and keeps the bodies.
#[derive(Clone)]
struct Webhook {
    answers: Arc<Mutex<Vec<u16>>>,
    got: Arc<Mutex<Vec<Value>>>,
}

async fn receive(State(webhook): State<Webhook>, body: String) -> StatusCode {
    webhook.got.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    StatusCode::from_u16(webhook.answers.lock().unwrap().remove(0)).unwrap()
}

async fn webhook(emulator: &Emulator, answers: &[u16]) -> Webhook {
    let webhook = Webhook { answers: Arc::new(Mutex::new(answers.to_vec())), got: Arc::default() };
    let router = Router::new().route("/webhook", post(receive)).with_state(webhook.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    emulator.set_webhook_url(&format!("http://{}/webhook", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    webhook
}

async fn started() -> (Emulator, reqwest::Client) {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    (emulator, reqwest::Client::builder().no_proxy().build().unwrap())
}

fn list(emulator: &Emulator, client: &reqwest::Client) -> reqwest::RequestBuilder {
    let token = emulator.entra(|entra| entra.access_token());
    client
        .get(format!("{}/saas/subscriptions?api-version=2018-08-31", emulator.marketplace_url()))
        .bearer_auth(token)
}

#[tokio::test]
async fn marketplace_and_entra_answer_under_their_addresses() {
    let (emulator, client) = started().await;
    emulator.world(|world| world.purchase(Purchase::flat_rate("silver")));
    let response = list(&emulator, &client).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("x-ms-requestid"));
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["subscriptions"].as_array().unwrap().len(), 1);
    let tenant = emulator.world(|world| world.settings().tenant_id.clone());
    let address =
        format!("{}/{tenant}/v2.0/.well-known/openid-configuration", emulator.entra_authority());
    let document: Value =
        serde_json::from_str(&client.get(address).send().await.unwrap().text().await.unwrap())
            .unwrap();
    let keys = client.get(document["jwks_uri"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(keys.status(), 200);
}

#[tokio::test]
async fn a_dropped_connection_has_no_answer() {
    let (emulator, client) = started().await;
    for kind in [FaultKind::DropBefore, FaultKind::LoseAnswer] {
        emulator.world(|world| world.faults_mut().once(Call::ListSubscriptions, kind));
        assert!(list(&emulator, &client).send().await.is_err());
    }
    assert_eq!(list(&emulator, &client).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn due_webhooks_are_sent_once_and_retried_after_a_server_error() {
    let (emulator, _) = started().await;
    let webhook = webhook(&emulator, &[503, 200, 200]).await;
    let id = emulator.world(|world| world.purchase(Purchase::flat_rate("auto")));
    emulator.world(|world| world.renew(id)).unwrap();
    let statuses: Vec<_> =
        emulator.deliver_due().await.into_iter().map(|outcome| outcome.status).collect();
    assert_eq!(statuses, [Some(503), Some(200)]);
    assert!(emulator.deliver_due().await.is_empty());
    emulator.world(|world| world.advance(std::time::Duration::from_secs(60)));
    let outcomes = emulator.deliver_due().await;
    assert_eq!((outcomes[0].action.as_str(), outcomes[0].attempt), ("Subscribe", 2));
    let actions: Vec<Value> =
        webhook.got.lock().unwrap().iter().map(|body| body["action"].clone()).collect();
    assert_eq!(actions, ["Subscribe", "Renew", "Subscribe"]);
}

#[tokio::test]
async fn without_a_publisher_a_delivery_has_no_status() {
    let (emulator, _) = started().await;
    emulator.world(|world| world.purchase(Purchase::flat_rate("auto")));
    assert_eq!(emulator.deliver_due().await[0].status, None);
}

#[tokio::test]
async fn any_payload_can_be_posted() {
    let (emulator, _) = started().await;
    let webhook = webhook(&emulator, &[401]).await;
    let payload = serde_json::json!({ "action": "Suspend" });
    let (status, _) = emulator.deliver_payload(&payload, None).await.unwrap();
    assert_eq!(status, 401);
    assert_eq!(*webhook.got.lock().unwrap(), [payload]);
}

#[tokio::test]
async fn the_server_stops_at_shutdown() {
    let (emulator, client) = started().await;
    let request = list(&emulator, &client);
    emulator.shutdown();
    // The server stops in a task of its own, which has to run first.
    tokio::task::yield_now().await;
    assert!(request.send().await.is_err());
}

#[tokio::test]
async fn run_deliveries_sends_webhooks_in_the_background() {
    let (emulator, _) = started().await;
    let (got, mut received) = tokio::sync::mpsc::unbounded_channel();
    let receive = move |body: String| async move {
        got.send(body).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    };
    let router = Router::new().route("/webhook", post(receive));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    emulator.set_webhook_url(&format!("http://{}/webhook", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    emulator.run_deliveries();
    emulator.world(|world| world.purchase(Purchase::flat_rate("auto")));
    let body: Value = serde_json::from_str(&received.recv().await.unwrap()).unwrap();
    assert_eq!(body["action"], "Subscribe");
}
