//! The console: what each page answers, and what the staff do there.

use std::time::Duration;

use emulator::{Call, ErrorForm, FaultKind, Times};
use http::StatusCode;
use local::Options;

use crate::console_env::{ADMIN, Desk, OPERATOR, VIEWER, page_of, shows, team};
use crate::raw_receiver::{RawReceiver, Then};
use crate::test_env::TestEnv;

const PAGES: [&str; 6] = [
    "/console",
    "/console/subscriptions",
    "/console/deliveries",
    "/console/reconciliation",
    "/console/health",
    "/console/offers",
];

#[tokio::test]
async fn a_visit_leads_through_entra_of_the_publishers_tenant_back_to_the_page() {
    let env = TestEnv::new().await;
    let mut desk = Desk::new(&env);
    let back = desk.sign_in("/console/subscriptions?search=fleet", VIEWER).await;
    assert_eq!(back.headers["location"], "/console/subscriptions?search=fleet");
    let page = desk.page("/console/subscriptions").await;
    shows(&page, &["Vera Viewer · Viewer", "Sign out"]);
}

#[tokio::test]
async fn every_page_is_there_for_a_viewer_before_the_first_purchase() {
    let env = TestEnv::new().await;
    let mut desk = Desk::of(&env, VIEWER).await;
    for path in PAGES {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        let policy = answer.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(!answer.body.contains("<script"), "{path}");
        assert!(answer.body.contains("aria-current=\"page\""), "{path}");
    }
    shows(&desk.page("/console/subscriptions").await, &["There are no subscriptions yet"]);
}

#[tokio::test]
async fn a_subscription_shows_both_copies_the_customer_and_the_history_with_who_did_it() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut desk = Desk::of(&env, VIEWER).await;
    let list = desk.page("/console/subscriptions").await;
    shows(
        &list,
        &["Fleet of twelve", "adele@contoso.example", "Team, 12 seats", "<code>per-seat-1</code>"],
    );
    let page = desk.page(&page_of(id)).await;
    shows(
        &page,
        &[
            "No differences.",
            "1 month · 4 Mar – 3 Apr 2026",
            "Renews on 4 Apr 2026",
            "Purchased",
            "Activated",
            "Buyer, on the landing page",
            "No operation is waiting for an answer.",
        ],
    );
    assert!(!page.contains("Change the plan"), "a viewer is offered nothing");

    // Microsoft changes the name, and sends no webhook about it.
    env.world(|world| world.rename(id, "Fleet of thirteen")).expect("renamed");
    let page = desk.page(&page_of(id)).await;
    shows(&page, &["They differ in 1 field.", "Fleet of thirteen", "Fleet of twelve"]);
    let mut desk = Desk::of(&env, OPERATOR).await;
    let looked = desk.act(&format!("{}/refresh", page_of(id)), &[]).await;
    assert_eq!(looked.headers["location"], format!("{}?done=refresh", page_of(id)));
    let page = desk.page(&format!("{}?done=refresh", page_of(id))).await;
    shows(
        &page,
        &["No differences.", "The record now agrees with Microsoft&#39;s copy.", "Name changed"],
    );
    shows(&page, &["<p>Olof Operator, in the console</p>"]);
}

#[tokio::test]
async fn a_change_of_plan_shows_from_and_to_and_stands_in_the_history_with_its_approval() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut desk = Desk::of(&env, OPERATOR).await;
    let path = format!("{}/change-plan", page_of(id));
    let question = desk.page(&path).await;
    shows(&question, &["Current plan: Team", "<option value=\"basic\">Basic</option>"]);
    let path = format!("{path}?plan=basic");
    shows(&desk.page(&path).await, &["From Team to Basic", ">Change to Basic</button>"]);

    let unapproved = desk.act(&path, &[]).await;
    assert_eq!(unapproved.status, StatusCode::BAD_REQUEST);
    shows(&unapproved.body, &["Confirm that the customer has agreed."]);
    assert_eq!(env.calls(Call::UpdateSubscription), 0);

    let approval = [("agreed", "yes"), ("reason", "By phone on 3 March, ask x@contoso.example")];
    let asked = desk.act(&path, &approval).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    assert_eq!(env.calls(Call::UpdateSubscription), 1);
    env.advance(Duration::from_secs(60));
    env.deliver().await;
    let page = desk.page(&page_of(id)).await;
    shows(
        &page,
        &[
            "Plan changed",
            "team → basic",
            " · Accepted by the publisher: By phone on 3 March, ask …",
        ],
    );
    assert!(!page.contains("x@contoso.example"), "{page}");
}

#[tokio::test]
async fn seats_change_within_the_plans_limits() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut desk = Desk::of(&env, OPERATOR).await;
    let path = format!("{}/change-seats", page_of(id));
    shows(&desk.page(&path).await, &["Current seats: 12. The plan allows "]);
    let approval = [("agreed", "yes"), ("reason", "By phone")];
    let refused = desk.act(&path, &[&approval[..], &[("seats", "999999")]].concat()).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    let asked = desk.act(&path, &[&approval[..], &[("seats", "15")]].concat()).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    env.advance(Duration::from_secs(60));
    env.deliver().await;
    shows(&desk.page(&page_of(id)).await, &["Seats changed", "12 → 15<"]);
}

#[tokio::test]
async fn a_resellers_purchase_is_not_changed_at_the_console() {
    let env = TestEnv::new().await;
    let id = env.active(team().by_reseller()).await;
    let mut desk = Desk::of(&env, OPERATOR).await;
    let path = format!("{}/change-seats", page_of(id));
    let asked =
        desk.act(&path, &[("agreed", "yes"), ("reason", "By phone"), ("seats", "15")]).await;
    assert_eq!(asked.status, StatusCode::CONFLICT, "F-CHP-3: {}", asked.body);
    shows(&asked.body, &["purchase is changed by the reseller"]);
    assert_eq!(env.calls(Call::UpdateSubscription), 0);
}

#[tokio::test]
async fn a_purchase_that_waits_for_approval_needs_the_staff_and_is_approved() {
    let env = TestEnv::with(Options::default().with("ACTIVATION", "by-publisher")).await;
    let id = env.purchase(team());
    env.confirm(id).await;
    let mut desk = Desk::of(&env, OPERATOR).await;
    let page = desk.page("/console").await;
    shows(
        &page,
        &[
            "Purchases waiting",
            "Fleet of twelve",
            "Your approval, for less than a minute",
            ">30 days<",
        ],
    );
    let path = format!("{}/approve", page_of(id));
    shows(
        &desk.page(&path).await,
        &["adele@contoso.example · Team · 12 seats · 1 month", "Billing starts."],
    );
    let approved = desk.act(&path, &[]).await;
    assert_eq!(approved.status, StatusCode::SEE_OTHER, "{}", approved.body);
    let page = desk.page(&page_of(id)).await;
    shows(&page, &["Subscribed", "Activated", "Olof Operator, in the console"]);
    let page = desk.page("/console").await;
    assert!(!page.contains("Purchases waiting"), "{page}");
}

#[tokio::test]
async fn a_cancellation_is_typed_and_needs_an_admin() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let path = format!("{}/cancel", page_of(id));
    let mut olof = Desk::of(&env, OPERATOR).await;
    assert_eq!(olof.get(&path).await.status, StatusCode::FORBIDDEN);
    let mut ada = Desk::of(&env, ADMIN).await;
    let short = id.to_string().split('-').next().expect("a part").to_owned();
    shows(
        &ada.page(&path).await,
        &[
            "This can&#39;t be undone.",
            &format!("ID: <code>{short}</code>"),
            "Keep the subscription",
        ],
    );
    for typed in [&[][..], &[("typed", "")], &[("typed", "Fleet")]] {
        let refused = ada.act(&path, typed).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    }
    assert_eq!(env.calls(Call::DeleteSubscription), 0);
    let cancelled = ada.act(&path, &[("typed", &short)]).await;
    assert_eq!(cancelled.status, StatusCode::SEE_OTHER, "{}", cancelled.body);
    env.advance(Duration::from_secs(60));
    env.deliver().await;
    shows(&ada.page(&page_of(id)).await, &["Ended on", "Last term", "Ada Admin, in the console"]);
}

#[tokio::test]
async fn a_reference_is_saved_found_and_removed() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut desk = Desk::of(&env, OPERATOR).await;
    let path = format!("{}/reference", page_of(id));
    assert_eq!(desk.act(&path, &[("reference", "C-4711")]).await.status, StatusCode::SEE_OTHER);
    shows(&desk.page(&page_of(id)).await, &["C-4711"]);
    shows(&desk.page("/console/subscriptions?search=C-47").await, &["Fleet of twelve"]);
    let csv = desk.page("/console/subscriptions.csv?search=C-47").await;
    assert!(csv.contains("\"C-4711\"") && csv.lines().count() == 2, "{csv}");
    desk.act(&path, &[("reference", "")]).await;
    assert!(!desk.page(&page_of(id)).await.contains("C-4711"));
}

#[tokio::test]
async fn events_are_sent_again_and_a_receiver_is_paused_and_resumed() {
    let receiver = local::receiver::Receiver::start().await.expect("a receiver");
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", receiver.url())
        .with("DELIVERY_SIGNING_KEY", receiver.key());
    let env = TestEnv::with(options).await;
    let id = env.active(team()).await;
    env.system.deliver_events().await.expect("delivered");
    let mut desk = Desk::of(&env, OPERATOR).await;
    shows(&desk.page("/console/deliveries").await, &["endpoint", "Every event has been accepted."]);
    let path = "/console/deliveries/pause?receiver=endpoint";
    let paused = desk.act(path, &[("note", "Maintenance")]).await;
    assert_eq!(paused.status, StatusCode::SEE_OTHER, "{}", paused.body);
    shows(&desk.page("/console/deliveries").await, &["paused", "Maintenance"]);
    desk.act(&format!("{}/redeliver", page_of(id)), &[("from", "1")]).await;
    shows(&desk.page("/console/deliveries").await, &["Fleet of twelve"]);
    let path = "/console/deliveries/resume?receiver=endpoint";
    assert_eq!(desk.act(path, &[]).await.status, StatusCode::SEE_OTHER);
    env.system.sweep().await.expect("a sweep");
    shows(&desk.page("/console/deliveries").await, &["Every event has been accepted."]);
    let test = desk.act(
        "/console/deliveries/test-event",
        &[("type", "saas-fulfillment.subscription.test.v1")],
    );
    let test = test.await;
    assert_eq!(test.status, StatusCode::SEE_OTHER, "{}", test.body);
    env.system.deliver_events().await.expect("delivered");
    let to = test.headers["location"].to_str().expect("text").to_owned();
    shows(&desk.page(&to).await, &["delivered", "webhook-signature"]);
}

#[tokio::test]
async fn a_run_that_repairs_is_shown_with_what_differed() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    env.world(|world| world.rename(id, "Another name")).expect("renamed");
    env.system.reconcile().await.expect("a run");
    let mut desk = Desk::of(&env, OPERATOR).await;
    let page = desk.page("/console/reconciliation").await;
    shows(&page, &["Runs with differences", &id.to_string(), "Repaired", "name changed"]);
    let paused = desk.act("/console/reconciliation/pause", &[("note", "Migration")]).await;
    assert_eq!(paused.status, StatusCode::SEE_OTHER, "{}", paused.body);
    shows(
        &desk.page("/console/reconciliation").await,
        &["Paused since", "Olof Operator", "Migration"],
    );
    desk.act("/console/reconciliation/resume", &[]).await;
    assert!(!desk.page("/console/reconciliation").await.contains("Migration"));
}

#[tokio::test]
async fn a_page_without_microsoft_shows_our_record_and_says_so() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut desk = Desk::of(&env, VIEWER).await;
    env.fault(Call::GetSubscription, FaultKind::Status(503, ErrorForm::Empty), Times::Always);
    let page = desk.page(&page_of(id)).await;
    shows(&page, &["Fleet of twelve", "Microsoft did not answer, so its copy", "Purchased"]);
}

#[tokio::test]
async fn offers_show_microsofts_plans_and_the_rules() {
    let env = TestEnv::with(Options::default().with("CHANGE_POLICY", "reject")).await;
    env.active(team()).await;
    let mut desk = Desk::of(&env, VIEWER).await;
    let page = desk.page("/console/offers").await;
    shows(
        &page,
        &["per-seat-1", "Team", "Basic", "From the only subscription.", "The change is rejected"],
    );
}

#[tokio::test]
async fn alarms_that_ring_are_on_the_first_page_and_their_silence_is_no_all_clear() {
    let alarms = "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms><member>\
        <AlarmName>saas-EventsParked</AlarmName>\
        <AlarmDescription>A receiver failed for a week.</AlarmDescription>\
        </member></MetricAlarms></DescribeAlarmsResult></DescribeAlarmsResponse>";
    for (status, body, shown) in [
        (
            "200 OK",
            alarms,
            &["Active alarms", "saas-EventsParked", "A receiver failed for a week."][..],
        ),
        ("403 Forbidden", "", &["CloudWatch answered 403 to DescribeAlarms"]),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let cloudwatch = RawReceiver::start(answer.into_bytes(), Then::Closes).await;
        let options = Options::default()
            .with("ALARM_NAME_PREFIX", "saas-")
            .with("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.url());
        let env = TestEnv::with(options).await;
        let mut desk = Desk::of(&env, VIEWER).await;
        let page = desk.page("/console").await;
        shows(&page, shown);
        assert!(!page.contains("Nothing needs you"), "{page}");
        assert_eq!(cloudwatch.requests(), 1);
    }
}

#[tokio::test]
async fn a_declined_purchase_is_cancelled_and_its_buyer_reads_why() {
    let env = TestEnv::with(Options::default().with("ACTIVATION", "by-publisher")).await;
    let id = env.purchase(team());
    env.confirm(id).await;
    let mut desk = Desk::of(&env, OPERATOR).await;
    let short = id.to_string().split('-').next().expect("a part").to_owned();
    let path = format!("{}/decline", page_of(id));
    let unsaid = desk.act(&path, &[("typed", &short)]).await;
    assert_eq!(unsaid.status, StatusCode::BAD_REQUEST);
    shows(&unsaid.body, &["Enter a reason for the buyer."]);
    let reason = [("reason", "We don't serve your country yet."), ("typed", &*short)];
    let declined = desk.act(&path, &reason).await;
    assert_eq!(declined.status, StatusCode::SEE_OTHER, "{}", declined.body);
    assert_eq!(env.calls(Call::DeleteSubscription), 1);
    shows(&env.visit(id).await.body, &["We don&#39;t serve your country yet."]);
    env.advance(Duration::from_secs(60));
    env.deliver().await;
    let page = desk.page(&page_of(id)).await;
    shows(&page, &["Ended", "We don&#39;t serve your country yet.", "Olof Operator"]);
}
