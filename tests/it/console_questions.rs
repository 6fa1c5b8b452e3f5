//! Support's questions, each answered at the console within three clicks of its first page.

use std::time::Duration;

use emulator::Purchase;
use http::StatusCode;
use local::Options;
use uuid::Uuid;

use crate::console_env::{ADMIN, Desk, VIEWER};
use crate::test_env::TestEnv;

/// The clicks that lead to an answer.
const MOST_CLICKS: usize = 3;

/// A person at the console, who follows the links that a page shows.
struct Support<'a> {
    desk: Desk<'a>,
    page: String,
    clicks: usize,
}

impl<'a> Support<'a> {
    async fn at(env: &'a TestEnv) -> Self {
        let mut desk = Desk::of(env, VIEWER).await;
        let page = desk.page("/console").await;
        Self { desk, page, clicks: 0 }
    }

    async fn open(mut self, address: &str) -> Self {
        self.clicks += 1;
        let answer = self.desk.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.body);
        self.page = answer.body;
        self
    }

    /// Clicks the link with this text.
    async fn click(self, text: &str) -> Self {
        let mut links = self.page.split("<a ").skip(1);
        let shown = |link: &&str| {
            link.split_once('>').is_some_and(|(_, rest)| rest.starts_with(&format!("{text}</a>")))
        };
        let link = links.find(shown).unwrap_or_else(|| panic!("{text} in {}", self.page));
        let (_, rest) = link.split_once("href=\"").expect("an address");
        let address = rest.split('"').next().expect("its end").to_owned();
        self.open(&address).await
    }

    /// Goes to the list, types into its search field, and presses the button.
    async fn search(self, text: &str) -> Self {
        let list = self.click("Subscriptions").await;
        assert!(list.page.contains("name=\"search\""), "{}", list.page);
        list.open(&format!("/console/subscriptions?search={text}")).await
    }

    #[track_caller]
    fn reads(self, answers: &[&str]) {
        let page = self.page.replace('\u{a0}', " ");
        for answer in answers {
            assert!(page.contains(answer), "{answer} in {page}");
        }
        assert!(self.clicks <= MOST_CLICKS, "{} clicks", self.clicks);
    }
}

/// A customer whose change was refused, whose product does not answer, and who cancelled.
async fn env() -> (TestEnv, Uuid) {
    let options = Options::default()
        .with("CHANGE_RULES", r#"{"per-seat-1": {"plans": {"team": {"maxSeats": 15}}}}"#)
        .with("DELIVERY_ENDPOINT", "http://127.0.0.1:9/events")
        .with("DELIVERY_SIGNING_KEY", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
    let env = TestEnv::with(options).await;
    let id = env.active(Purchase::per_seat("team", 12).named("Fleet of twelve").test()).await;
    env.world(|world| world.change_quantity(id, 20)).expect("the customer asks");
    env.deliver().await;
    env.advance(Duration::from_secs(60));
    env.world(|world| world.rename(id, "Fleet of Contoso")).expect("renamed");
    env.system.reconcile().await.expect("a run");
    env.system.deliver_events().await.expect("an attempt");
    env.advance(Duration::from_secs(60));
    (env, id)
}

#[tokio::test]
async fn each_of_supports_questions_is_answered_within_three_clicks() {
    let (env, id) = env().await;
    let support = || Support::at(&env);
    let found = async || {
        support().await.search("adele%40contoso.example").await.click("Fleet of Contoso").await
    };

    // Who is this customer? Is it a test? When does it renew? Why was their change refused?
    found().await.reads(&["adele@contoso.example", "tenant <code>"]);
    found().await.reads(&["Microsoft marks this as a test purchase."]);
    found().await.reads(&["4 Mar – 3 Apr 2026", "Renews on 4 Apr 2026"]);
    found().await.reads(&["Change rejected", "12 → 20 (not made)", "Rejected by the rules"]);
    // What did Microsoft say?
    found().await.reads(&["Microsoft's copy", "No differences.", "saasSubscriptionStatus"]);
    // What waits, and is the product behind, and since when?
    let behind = ["Fleet of Contoso", "Your product (endpoint)", "Waiting for", "attempt"];
    support().await.click("Deliveries").await.reads(&behind);
    // Did we miss something?
    support().await.click("Reconciliation").await.reads(&[&id.to_string(), "Repaired"]);
    // Send me their data.
    let page = found().await.page;
    let address = format!("/console/subscriptions/{id}/data.json");
    assert!(page.contains(&format!("href=\"{address}\" download>Download this")), "{page}");
    let mut desk = Desk::of(&env, VIEWER).await;
    let file = desk.get(&address).await;
    let disposition = file.headers["content-disposition"].to_str().expect("text");
    assert_eq!(disposition, format!("attachment; filename=\"{id}.json\""));
    let data = file.json();
    assert_eq!(data["record"]["subscription"]["name"], "Fleet of Contoso");
    assert_eq!(data["events"][0]["type"], "Purchased");
    assert_eq!(data["notes"], serde_json::json!([]));
    // Who cancelled this?
    let mut ada = Desk::of(&env, ADMIN).await;
    let short = id.to_string().split('-').next().expect("a part").to_owned();
    let cancel = format!("/console/subscriptions/{id}/cancel");
    ada.act(&cancel, &[("typed", &short)]).await;
    env.advance(Duration::from_secs(60));
    env.deliver().await;
    found().await.reads(&["Ended on", "Ada Admin, in the console"]);
}
