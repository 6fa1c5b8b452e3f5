//! Audits every page and act of the console with axe-core, in each role: light and dark, on a desktop
//! and on a phone.

use std::time::Duration;

use browser::{Page, browse};
use emulator::{Call, ErrorForm, FaultKind, Purchase, Times};
use fantoccini::Locator;
use local::Options;
use local::receiver::Receiver;
use local::test_env::TestEnv;
use serde_json::json;
use uuid::Uuid;

const VIEWER: &str = "vera@fabrikam.example";
const OPERATOR: &str = "olof@fabrikam.example";
const ADMIN: &str = "ada@fabrikam.example";
const NO_ROLE: &str = "nils@fabrikam.example";

fn team() -> Purchase {
    Purchase::per_seat("team", 12).named("Fleet of twelve")
}

fn long_named() -> Purchase {
    Purchase::flat_rate("silver").named("Åkeriernas gemensamma abonnemang i Västra Götaland")
}

async fn with_receiver(receiver: &Receiver, activation: &str) -> TestEnv {
    // The emulator's clock starts on 4 March 2026.
    let options = Options::default()
        .with("ENTRA_CLIENT_SECRET_EXPIRES", "2026-09-20")
        .with("CONSOLE_CLIENT_SECRET_EXPIRES", "2026-03-14")
        .with("ACTIVATION", activation)
        .with("DELIVERY_ENDPOINT", receiver.url())
        .with("DELIVERY_SIGNING_KEY", receiver.key());
    TestEnv::with(options).await
}

fn address(env: &TestEnv, path: &str) -> String {
    format!("{}{path}", env.system.console_url().expect("a console"))
}

/// Opens a page of the console, and signs in where Entra asks for it.
async fn open(page: &Page, env: &TestEnv, path: &str, email: &str) {
    page.open(&address(env, path)).await;
    if page.url().await.path().contains("/oauth2/") {
        page.pick_account(email).await;
    }
}

async fn audit(page: &Page, env: &TestEnv, path: &str, heading: &str, name: &str) {
    page.open(&address(env, path)).await;
    page.wait_for_heading(heading).await;
    page.audit(name).await;
}

fn page_of(id: Uuid) -> String {
    format!("/console/subscriptions/{id}")
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_console_before_the_first_purchase_passes_the_audit() {
    let env = TestEnv::new().await;
    browse(|page| async move {
        open(&page, &env, "/console", VIEWER).await;
        page.wait_for_heading("Needs you").await;
        page.audit("console-needs-you-empty").await;
        for (path, heading, name) in [
            ("/console/subscriptions", "Subscriptions", "console-subscriptions-empty"),
            (
                "/console/subscriptions?search=nobody",
                "Subscriptions",
                "console-subscriptions-none-found",
            ),
            ("/console/deliveries", "Deliveries", "console-deliveries-empty"),
            ("/console/reconciliation", "Reconciliation", "console-reconciliation-empty"),
            ("/console/health", "Health", "console-health-not-examined"),
            ("/console/offers", "Offers and plans", "console-offers-empty"),
            (
                "/console/subscriptions?search=xy",
                "Search for at least 3 characters",
                "console-refused",
            ),
        ] {
            audit(&page, &env, path, heading, name).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_console_of_a_busy_publisher_passes_the_audit() {
    let receiver = Receiver::start().await.expect("a receiver");
    let env = with_receiver(&receiver, "by-publisher").await;
    let (waiting, active) = (env.purchase(long_named()), env.purchase(team()));
    for id in [waiting, active] {
        env.confirm(id).await;
    }
    env.activate(active).await;
    env.advance(Duration::from_secs(60));
    env.change(active, &json!({ "quantity": 15, "reason": "By phone on 3 March" })).await;
    env.advance(Duration::from_secs(60));
    env.deliver().await;
    env.world(|world| world.rename(waiting, "Another name")).expect("renamed");
    env.system.reconcile().await.expect("a run");
    env.world(|world| world.rename(active, "Fleet of fifteen")).expect("renamed");
    env.system.examine().await;
    env.advance(Duration::from_secs(12 * 60));
    browse(|page| async move {
        open(&page, &env, "/console", OPERATOR).await;
        page.wait_for_heading("Needs you").await;
        page.audit("console-needs-you").await;
        for (path, heading, name) in [
            ("/console/subscriptions".to_owned(), "Subscriptions", "console-subscriptions"),
            (page_of(active), "Fleet of twelve", "console-subscription"),
            (page_of(waiting), "Another name", "console-subscription-waiting"),
            ("/console/deliveries".to_owned(), "Deliveries", "console-deliveries-waiting"),
            ("/console/reconciliation".to_owned(), "Reconciliation", "console-reconciliation"),
            ("/console/health".to_owned(), "Health", "console-health"),
            ("/console/offers".to_owned(), "Offers and plans", "console-offers"),
        ] {
            audit(&page, &env, &path, heading, name).await;
        }
        audit(&page, &env, &page_of(active), "Fleet of twelve", "console-subscription").await;
        for details in page.client.find_all(Locator::Css("details summary")).await.expect("some") {
            details.click().await.expect("it opens");
        }
        page.audit("console-subscription-open").await;
        env.fault(Call::GetSubscription, FaultKind::Status(503, ErrorForm::Empty), Times::Always);
        audit(
            &page,
            &env,
            &page_of(active),
            "Fleet of twelve",
            "console-subscription-without-microsoft",
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn every_act_passes_the_audit_before_it_is_done() {
    let receiver = Receiver::start().await.expect("a receiver");
    let env = with_receiver(&receiver, "on-confirm").await;
    let id = env.active(team()).await;
    browse(|page| async move {
        open(&page, &env, "/console", ADMIN).await;
        page.wait_for_heading("Needs you").await;
        for (act, heading) in [
            ("approve", "Approve the purchase"),
            ("decline", "Decline the purchase"),
            ("change-plan", "Change the plan"),
            ("change-plan?plan=basic", "Change the plan"),
            ("change-seats", "Change the seats"),
            ("cancel", "Cancel the subscription"),
            ("refresh", "Refresh from Microsoft"),
            ("redeliver", "Send the events again"),
            ("erase", "Erase personal data"),
            ("reference", "Edit your reference"),
            ("note", "Add a note"),
        ] {
            let name = format!("console-act-{}", act.replace("?plan=", "-to-"));
            audit(&page, &env, &format!("{}/{act}", page_of(id)), heading, &name).await;
        }
        for (act, heading, name) in [
            ("deliveries/recover-parked", "Send all parked events", "recover-parked"),
            ("deliveries/recover-since", "Resend events since a time", "recover-since"),
            ("deliveries/pause?receiver=endpoint", "Pause the receiver", "pause"),
            ("deliveries/resume?receiver=endpoint", "Resume the receiver", "resume"),
            ("deliveries/test-event", "Send a test event", "test-event"),
            ("reconciliation/run", "Start a run now", "run"),
            ("reconciliation/dry-run", "Start a dry run", "dry-run"),
            ("reconciliation/pause", "Pause the reconciliation", "pause-runs"),
            ("reconciliation/resume", "Resume the reconciliation", "resume-runs"),
        ] {
            audit(&page, &env, &format!("/console/{act}"), heading, &format!("console-act-{name}"))
                .await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn staff_walk_through_their_acts_without_scripts() {
    let receiver = Receiver::start().await.expect("a receiver");
    let env = with_receiver(&receiver, "by-publisher").await;
    let id = env.purchase(team());
    env.confirm(id).await;
    browse(|page| async move {
        let page = page.with_scripts(false).await;
        open(&page, &env, "/console", OPERATOR).await;
        page.click(Locator::LinkText("Fleet of twelve")).await;
        page.click(Locator::LinkText("Approve the purchase")).await;
        page.submit().await;
        page.wait_for_heading("Fleet of twelve").await;
        page.audit("console-approved").await;
        page.click(Locator::LinkText("Change the plan")).await;
        page.submit().await;
        page.click(Locator::Css("input[type=checkbox]")).await;
        page.fill("reason", "By phone on 3 March").await;
        page.submit().await;
        page.wait_for_heading("Fleet of twelve").await;
        page.wait_for(Locator::Css(".done")).await;
        page.audit("console-changed").await;
        page.click(Locator::LinkText("Edit your reference")).await;
        page.fill("reference", "C-4711").await;
        page.submit().await;
        page.wait_for(Locator::XPath("//dd[.='C-4711']")).await;
        page.click(Locator::LinkText("Add a note")).await;
        page.fill("note", "Renewal talks in May").await;
        page.submit().await;
        page.wait_for(Locator::XPath("//ol//span[.='Renewal talks in May']")).await;
        page.audit("console-noted").await;
        page.click(Locator::LinkText("Deliveries")).await;
        page.click(Locator::LinkText("Send a test event")).await;
        page.submit().await;
        page.wait_for_heading("Test event").await;
        page.audit("console-test-event-waiting").await;
        env.system.deliver_events().await.expect("delivered");
        page.click(Locator::LinkText("Reload")).await;
        page.wait_for(Locator::XPath("//h3[.='Request']")).await;
        page.audit("console-test-event").await;
        page.click(Locator::Css("header button")).await;
        page.wait_for_heading("You are signed out").await;
        page.audit("console-signed-out").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn what_the_console_refuses_passes_the_audit() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    browse(|page| async move {
        open(&page, &env, "/console", NO_ROLE).await;
        page.wait_for_heading("You have no access to the console").await;
        page.audit("console-no-role").await;
        page.click(Locator::LinkText("Sign in with another account")).await;
        page.pick_account(VIEWER).await;
        page.wait_for_heading("Needs you").await;
        audit(
            &page,
            &env,
            &format!("{}/cancel", page_of(id)),
            "You don't have permission",
            "console-denied",
        )
        .await;
        audit(&page, &env, &page_of(Uuid::nil()), "Not found", "console-not-found").await;
        audit(&page, &env, "/console/signed-in", "The sign-in failed", "console-sign-in-failed")
            .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn an_ended_subscription_passes_the_audit() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    env.cancel(id).await;
    env.advance(Duration::from_secs(60));
    env.deliver().await;
    browse(|page| async move {
        open(&page, &env, &page_of(id), ADMIN).await;
        page.wait_for_heading("Fleet of twelve").await;
        page.audit("console-subscription-ended").await;
    })
    .await;
}
