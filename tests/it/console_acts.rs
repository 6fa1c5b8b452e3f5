//! Which acts the console offers, what it says of them, and what it says once they are requested.

use std::time::Duration;

use http::StatusCode;
use local::Options;

use crate::console_env::{ADMIN, Desk, OPERATOR, VIEWER, page_of, team};
use crate::test_env::TestEnv;

/// The buttons of a subscription's page, in their order, each with its class.
fn buttons(page: &str) -> Vec<(&str, &str)> {
    let (_, list) = page.split_once("aria-label=\"What you can do\"").expect("acts");
    let (list, _) = list.split_once("</nav>").expect("their end");
    let links = list.split("<a class=\"").skip(1);
    links
        .map(|link| {
            let (class, rest) = link.split_once('"').expect("a class");
            let (_, rest) = rest.split_once('>').expect("a link");
            (rest.split("</a>").next().expect("a text"), class)
        })
        .collect()
}

#[tokio::test]
async fn the_main_act_is_filled_and_comes_first_and_those_that_end_something_come_last() {
    let env = TestEnv::with(Options::default().with("ACTIVATION", "by-publisher")).await;
    let id = env.purchase(team());
    env.confirm(id).await;
    let mut ada = Desk::of(&env, ADMIN).await;
    let page = ada.page(&page_of(id)).await;
    let expected = [
        ("Approve the purchase", "button"),
        ("Refresh from Microsoft", "button plain"),
        ("Send the events again", "button plain"),
        ("Add a note", "button plain"),
        ("Edit your reference", "button plain"),
        ("Decline the purchase", "button plain grave"),
        ("Cancel the subscription", "button plain grave"),
    ];
    assert_eq!(buttons(&page), expected);
}

#[tokio::test]
async fn a_change_that_is_pending_is_named_with_who_asked_and_no_other_one_is_offered() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut olof = Desk::of(&env, OPERATOR).await;
    let change = ["Change the plan", "Change the seats"];
    let offered = |page: &str| change.map(|act| page.contains(&format!(">{act}</a>")));
    assert_eq!(offered(&olof.page(&page_of(id)).await), [true, true]);

    let approval = [("agreed", "yes"), ("reason", "By phone")];
    let path = format!("{}/change-plan?plan=basic", page_of(id));
    assert_eq!(olof.act(&path, &approval).await.status, StatusCode::SEE_OTHER);
    let page = olof.page(&page_of(id)).await;
    let says = "Plan change to basic requested just now (Olof Operator, in the console). It applies \
                once Microsoft confirms it.";
    assert!(page.contains(says), "{page}");
    assert_eq!(offered(&page), [false, false], "{page}");
    let mut ada = Desk::of(&env, ADMIN).await;
    assert!(ada.page(&page_of(id)).await.contains(">Cancel the subscription</a>"));

    env.advance(Duration::from_secs(60));
    env.deliver().await;
    let page = olof.page(&page_of(id)).await;
    assert!(!page.contains("once Microsoft confirms it"), "{page}");
    assert_eq!(offered(&page), [true, true], "{page}");
}

#[tokio::test]
async fn a_requested_number_of_seats_is_named_until_microsoft_confirms_it() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut olof = Desk::of(&env, OPERATOR).await;
    let seats = [("agreed", "yes"), ("reason", "By phone"), ("seats", "15")];
    olof.act(&format!("{}/change-seats", page_of(id)), &seats).await;
    let page = olof.page(&page_of(id)).await;
    assert!(page.contains("Change to 15 seats requested just now"), "{page}");
}

#[tokio::test]
async fn a_cancellation_that_is_pending_is_not_offered_again() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    let mut ada = Desk::of(&env, ADMIN).await;
    let short = id.to_string().split('-').next().expect("a part").to_owned();
    let cancelled = ada.act(&format!("{}/cancel", page_of(id)), &[("typed", &short)]).await;
    assert_eq!(cancelled.status, StatusCode::SEE_OTHER, "{}", cancelled.body);
    let page = ada.page(&page_of(id)).await;
    assert!(page.contains("Cancellation requested just now (Ada Admin, in the console)"), "{page}");
    assert!(!page.contains(">Cancel the subscription</a>"), "{page}");
}

#[tokio::test]
async fn an_approval_says_whether_billing_or_a_trial_starts_and_afterwards_that_it_is_active() {
    for (purchase, starts) in
        [(team(), "Billing starts."), (team().free_trial(), "The free trial starts.")]
    {
        let env = TestEnv::with(Options::default().with("ACTIVATION", "by-publisher")).await;
        let id = env.purchase(purchase);
        env.confirm(id).await;
        let mut olof = Desk::of(&env, OPERATOR).await;
        let path = format!("{}/approve", page_of(id));
        let page = olof.page(&path).await;
        assert!(page.contains(&format!("<li>{starts}</li>")), "{page}");
        assert!(page.contains("adele@contoso.example · Team · 12 seats · 1 month"), "{page}");
        let done = olof.act(&path, &[]).await;
        let to = done.headers["location"].to_str().expect("text").to_owned();
        let page = olof.page(&to).await;
        assert!(page.contains("role=\"status\">The purchase is active.</p>"), "{page}");
    }
}

#[tokio::test]
async fn an_ended_subscription_shows_when_it_ended_and_from_when_on_it_may_be_erased() {
    let env = TestEnv::new().await;
    let id = env.active(team()).await;
    env.cancel(id).await;
    env.advance(Duration::from_secs(60));
    env.deliver().await;
    let mut ada = Desk::of(&env, ADMIN).await;
    let page = ada.page(&page_of(id)).await;
    for shown in [
        "<dt>Ended on</dt><dd>4 Mar 2026 09:16 UTC</dd>",
        "<dt>Last term</dt>",
        "status end\">Ended</p>",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let erase = format!("{}/erase", page_of(id));
    let page = ada.page(&erase).await;
    let possible = "Possible from 11 Mar 2026, once your product has accepted all events.";
    assert!(page.contains(possible), "{page}");
    assert!(!page.contains("name=\"typed\"") && !page.contains(">Erase the personal data<"));

    env.advance(Duration::from_secs(7 * 24 * 3600));
    let mut ada = Desk::of(&env, ADMIN).await;
    let page = ada.page(&erase).await;
    assert!(page.contains(">Erase the personal data</button>"), "{page}");
}

#[tokio::test]
async fn a_search_that_is_too_short_says_how_many_characters_it_needs() {
    let env = TestEnv::new().await;
    env.active(team()).await;
    let mut vera = Desk::of(&env, VIEWER).await;
    let refused = vera.get("/console/subscriptions?search=fl").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    for shown in ["<h1>Search for at least 3 characters</h1>", ">Back to subscriptions</a>"] {
        assert!(refused.body.contains(shown), "{shown} in {}", refused.body);
    }
    let list = vera.page("/console/subscriptions").await;
    assert!(list.contains("minlength=\"3\"") && list.contains("Download as CSV"), "{list}");
    let none = vera.page("/console/subscriptions?search=nobody").await;
    assert!(none.contains("No subscription matches your search."), "{none}");
    assert!(!none.contains("Download as CSV"), "nothing to download: {none}");
}

#[tokio::test]
async fn a_person_without_a_role_reads_which_account_it_is_and_can_choose_another() {
    let env = TestEnv::new().await;
    let mut nils = Desk::new(&env);
    let refused = nils.sign_in("/console", "nils@fabrikam.example").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for shown in [
        "Your account nils@fabrikam.example has no role in this console.",
        "href=\"/console/sign-in\">Sign in with another account</a>",
    ] {
        assert!(refused.body.contains(shown), "{shown} in {}", refused.body);
    }
}

#[tokio::test]
async fn every_page_names_the_publisher_whose_console_it_is() {
    let named = Options::default().with("LANDING_PUBLISHER_NAME", "Fabrikam <Fleet>");
    for (options, name) in
        [(named, "Fabrikam &#60;Fleet&#62; console"), (Options::default(), "Console")]
    {
        let env = TestEnv::with(options).await;
        let mut vera = Desk::of(&env, VIEWER).await;
        for path in ["/console", "/console/signed-out"] {
            let page = vera.page(path).await;
            assert!(page.contains(&format!("<p class=\"name\">{name}</p>")), "{path}: {page}");
        }
    }
}

#[tokio::test]
async fn without_a_receiver_nothing_is_waiting_and_no_event_is_said_to_be_accepted() {
    let env = TestEnv::new().await;
    env.active(team()).await;
    let mut vera = Desk::of(&env, VIEWER).await;
    let page = vera.page("/console/deliveries").await;
    for shown in ["so your product receives no events.", "<p>Nothing is waiting.</p>"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains("Every event has been accepted"), "{page}");
}
