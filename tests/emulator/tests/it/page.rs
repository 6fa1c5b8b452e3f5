//! The web page, as a browser without JavaScript sees it.

use emulator::{Emulator, Purchase, Settings};
use serde_json::Value;

async fn started() -> (Emulator, reqwest::Client) {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    (emulator, client)
}

pub(crate) async fn press(
    emulator: &Emulator,
    client: &reqwest::Client,
    path: &str,
    form: &[(&str, &str)],
) -> (u16, String) {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = client.post(format!("{}{path}", emulator.url())).body(body);
    let answer =
        request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (answer.status().as_u16(), to.unwrap_or_default())
}

pub(crate) async fn read(emulator: &Emulator, client: &reqwest::Client, path: &str) -> String {
    client.get(format!("{}{path}", emulator.url())).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn buying_and_acting_return_to_a_page_that_shows_the_result() {
    let (emulator, client) = started().await;
    let form = [
        ("plan", "per-seat-1/basic"),
        ("seats", "12"),
        ("name", "<b>bold</b>"),
        ("buyer", "bruno@northwind.example"),
    ];
    let (status, to) = press(&emulator, &client, "/act/buy", &form).await;
    assert_eq!(status, 303);
    let state = emulator.world(|world| world.subscriptions().next().unwrap().clone());
    assert_eq!((state.plan_id.as_str(), state.quantity), ("basic", Some(12)));
    let page = read(&emulator, &client, &to).await;
    assert!(
        page.contains("&lt;b&gt;bold&lt;/b&gt;") && !page.contains("<b>bold</b>"),
        "the name is escaped"
    );
    assert!(page.contains("PendingFulfillmentStart") && page.contains("Configure account"));
    let (status, _) = press(&emulator, &client, &format!("/act/{}/cancel", state.id), &[]).await;
    assert_eq!(status, 303);
    assert_eq!(emulator.world(|world| world.subscription(state.id)).status, "Unsubscribed");
    let (_, to) = press(&emulator, &client, &format!("/act/{}/renew", state.id), &[]).await;
    assert!(
        read(&emulator, &client, &to)
            .await
            .contains("Not possible: the subscription is Unsubscribed.")
    );
}

#[tokio::test]
async fn the_clock_buttons_move_the_clock() {
    let (emulator, client) = started().await;
    let before = emulator.world(|world| world.now());
    press(&emulator, &client, "/act/clock", &[("seconds", "86400")]).await;
    assert_eq!(emulator.world(|world| world.now()).duration_since(before).as_secs(), 86_400);
}

#[tokio::test]
async fn another_site_cannot_press_the_buttons() {
    let (emulator, client) = started().await;
    let request = client.post(format!("{}/act/clock", emulator.url())).body("seconds=10");
    let answer = request.header("origin", "https://attacker.example").send().await.unwrap();
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn each_opening_of_the_landing_page_makes_a_new_token() {
    let (emulator, client) = started().await;
    emulator.set_landing_url("https://fabrikam.example/landing");
    let id = emulator.world(|world| world.purchase(Purchase::flat_rate("silver")));
    let mut links = Vec::new();
    for _ in 0..2 {
        let answer = client.get(format!("{}/open/{id}", emulator.url())).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        links.push(answer.headers()["location"].to_str().unwrap().to_owned());
    }
    assert!(links[0].starts_with("https://fabrikam.example/landing?token="));
    assert_ne!(links[0], links[1]);
}

#[tokio::test]
async fn the_feed_returns_only_new_calls() {
    let (emulator, client) = started().await;
    let api = format!("{}/saas/subscriptions?api-version=2018-08-31", emulator.marketplace_url());
    assert_eq!(client.get(&api).send().await.unwrap().status(), 403);
    let news: Value =
        serde_json::from_str(&read(&emulator, &client, "/feed?after=0").await).unwrap();
    assert!(news["calls"].as_str().unwrap().contains("ListSubscriptions"));
    assert_eq!(news["last"], 1);
    let news: Value =
        serde_json::from_str(&read(&emulator, &client, "/feed?after=1").await).unwrap();
    assert_eq!(news["calls"], "");
}

#[tokio::test]
async fn the_page_reads_the_publishers_record() {
    let (emulator, client) = started().await;
    let id = emulator.world(|world| world.purchase(Purchase::flat_rate("silver")));
    let record = async || -> Value {
        let text = read(&emulator, &client, &format!("/publisher/{id}")).await;
        serde_json::from_str(&text).unwrap_or_default()
    };
    assert_eq!(record().await, Value::Null, "there is no publisher address");
    let router = axum::Router::new().route(
        "/subscriptions/{id}",
        axum::routing::get(|| async {
            r#"{"version":3,"subscription":
                {"saasSubscriptionStatus":"Subscribed","planId":"gold"}}"#
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    emulator.set_publisher_url(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let expected =
        serde_json::json!({ "status": "Subscribed", "plan": "gold", "seats": null, "version": 3 });
    assert_eq!(record().await, expected);
}
