//! What the console's pages say of the deployment's health: the last examination, and the credentials.

use std::time::Duration;

use emulator::Call;
use http::StatusCode;
use local::Options;

use crate::console_env::{Desk, VIEWER, shows};
use crate::test_env::TestEnv;

const MINUTE: u64 = 60;
const EXAMINE: &str = "/console/health/examine";

/// Presses the button of the page Health.
async fn examine_now(desk: &mut Desk<'_>) {
    let fields = desk.hidden("/console/health").await;
    let answer = desk.post(EXAMINE, &[("csrf", &fields["csrf"])]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.headers["location"], "/console/health");
}

#[tokio::test]
async fn pages_show_the_last_examination_with_its_age_and_make_none() {
    let env = TestEnv::new().await;
    let mut vera = Desk::of(&env, VIEWER).await;
    for page in ["/console", "/console/health"] {
        shows(&vera.page(page).await, &["The deployment has not been examined yet."]);
    }
    assert_eq!(env.calls(Call::ListSubscriptions), 0);

    examine_now(&mut vera).await;
    assert_eq!(env.calls(Call::ListSubscriptions), 1);
    shows(&vera.page("/console/health").await, &["examined just now", "Microsoft lists the"]);
    env.advance(Duration::from_secs(12 * MINUTE));
    shows(&vera.page("/console/health").await, &["examined 12 minutes ago"]);
    let page = vera.page("/console").await;
    let webhook = "Microsoft has not called the webhook yet";
    shows(&page, &["Failed checks and warnings", "Examined 12 minutes ago.", webhook]);
    assert!(!page.contains("One is due every hour"), "{page}");

    env.advance(Duration::from_secs(109 * MINUTE));
    let mut vera = Desk::of(&env, VIEWER).await;
    let late = "The last examination was 2 hours ago. One is due every hour";
    shows(&vera.page("/console").await, &[late, webhook]);
    shows(&vera.page("/console/health").await, &["the last one is older than two"]);
    assert_eq!(env.calls(Call::ListSubscriptions), 1, "no page asks Microsoft");

    // As the schedule does.
    env.system.examine().await;
    let page = vera.page("/console").await;
    shows(&page, &["Examined just now."]);
    assert!(!page.contains(late), "{page}");
}

#[tokio::test]
async fn a_form_of_another_session_or_site_examines_nothing() {
    let env = TestEnv::new().await;
    let mut vera = Desk::of(&env, VIEWER).await;
    let fields = vera.hidden("/console/health").await;
    let csrf = fields["csrf"].as_str();
    for form in [&[][..], &[("csrf", "another")]] {
        let answer = vera.post(EXAMINE, form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    }
    let request = env.http.post(vera.url(EXAMINE)).form(&[("csrf", csrf)]);
    let answer = vera.send(request.header("sec-fetch-site", "cross-site")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    let stranger = Desk::new(&env).post(EXAMINE, &[("csrf", csrf)]).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN, "{}", stranger.body);
    assert_eq!(env.calls(Call::ListSubscriptions), 0);
    let shown = vera.get(EXAMINE).await;
    assert_eq!(shown.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn needs_you_shows_the_days_left_of_each_credential_and_marks_few() {
    // The emulator's clock starts here.
    let start = emulator::Settings::default().start;
    let after = |days: i64| (start + jiff::SignedDuration::from_hours(24 * days + 1)).to_string();
    let options = Options::default()
        .with("ENTRA_CLIENT_SECRET_EXPIRES", &after(200))
        .with("CONSOLE_CLIENT_SECRET_EXPIRES", &after(9));
    let env = TestEnv::with(options).await;
    let mut vera = Desk::of(&env, VIEWER).await;
    let page = vera.page("/console").await;
    let (_, credentials) = page.split_once("<h2>Credentials</h2>").expect("a part of the page");
    let line = |name: &str| {
        let line = credentials.lines().find(|line| line.contains(&format!("<code>{name}</code>")));
        line.unwrap_or_else(|| panic!("{name} in {credentials}"))
    };
    shows(line("ENTRA_CLIENT_SECRET"), &["status good", "200 days left", "API"]);
    shows(line("CONSOLE_CLIENT_SECRET"), &["status warn", "9 days left", "The console"]);
    let landing = line("LANDING_CLIENT_SECRET").replace("<wbr>", "");
    shows(
        &landing,
        &["status end", "No expiry date is set. Set it in LANDING_CLIENT_SECRET_EXPIRES."],
    );
    assert!(!page.contains("Nothing needs you"), "{page}");
}
