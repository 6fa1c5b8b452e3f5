//! The publisher's staff sign in to the console with an app role (F-ROLE-1, F-ROLE-2).

use std::time::Duration;

use http::header::SET_COOKIE;
use shared::sign_in::{NotStaff, SignInError, StaffRole};

use crate::staff_sign_in_env::{
    CLIENT, Console, PERSON, ROUND_TRIP, SESSION, StaffBrowser, location, parameter,
};
use crate::test_env::TestEnv;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_member_of_the_staff_signs_in_at_the_publishers_directory_and_goes_on() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut browser = StaffBrowser::default();
    assert_eq!(console.staff(&browser).await, None);
    let entra = console.begin(&mut browser, "/console/subscriptions?status=Suspended").await;
    let at = format!("{}/{}/oauth2/v2.0/authorize?", console.authority(), console.tenant());
    assert!(entra.as_str().starts_with(&at), "no other directory signs in: {entra}");
    for (name, value) in [
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        ("scope", "openid profile email"),
        ("client_id", CLIENT),
        ("redirect_uri", env.url("/console/signed-in").as_str()),
    ] {
        assert_eq!(parameter(&entra, name), value, "{name}");
    }
    assert!(entra.query_pairs().all(|(name, _)| name != "prompt"), "{entra}");
    let back =
        console.sign_in(&mut browser, "/console/subscriptions?status=Suspended", &["Operator"]);
    assert_eq!(back.await.expect("signed in"), "/console/subscriptions?status=Suspended");
    let staff = console.staff(&browser).await.expect("a session");
    assert_eq!((staff.object_id, staff.role), (PERSON, StaffRole::Operator));
    assert_eq!((&*staff.name, &*staff.user_name), ("Olof Operator", "olof@publisher.example"));
    assert!(staff.csrf_token.len() >= 22 && staff.owns_form_with(&staff.csrf_token));
    assert!(!browser.cookies.contains_key(ROUND_TRIP), "the round trip is over");
    let again = console.staff(&browser).await.expect("a session");
    assert_eq!(again.csrf_token, staff.csrf_token, "the same session");
}

#[tokio::test]
async fn the_highest_role_counts_and_other_words_count_for_nothing() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    for (roles, expected) in [
        (&["Viewer"][..], StaffRole::Viewer),
        (&["Operator", "Viewer"], StaffRole::Operator),
        (&["Admin", "Viewer", "Operator"], StaffRole::Admin),
        (&["Viewer", "admin", "ADMIN", " Admin", "Owner"], StaffRole::Viewer),
    ] {
        let mut browser = StaffBrowser::default();
        console.sign_in(&mut browser, "/console", roles).await.expect("signed in");
        let staff = console.staff(&browser).await.expect("a session");
        assert_eq!(staff.role, expected, "{roles:?}");
    }
    for roles in [&[][..], &["viewer"], &["Owner", "Viewer "], &[""]] {
        let mut browser = StaffBrowser::default();
        match console.sign_in(&mut browser, "/console/runs", roles).await {
            Err(NotStaff::NoRole(person)) => {
                assert_eq!(person.username.as_deref(), Some("olof@publisher.example"));
                let error = NotStaff::NoRole(person);
                assert!(!format!("{error} {error:?}").contains("olof"), "{error:?}");
            }
            other => panic!("{roles:?}: {other:?}"),
        }
        assert!(!browser.cookies.contains_key(SESSION), "{roles:?}");
        assert_eq!(console.staff(&browser).await, None, "{roles:?}");
        let wanted = console.at().return_path(&browser.headers()).await.expect("a key");
        assert_eq!(wanted.expect("it is kept").as_str(), "/console/runs");
    }
}

#[tokio::test]
async fn after_an_hour_the_person_signs_in_again_and_has_the_role_of_that_day() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut browser = StaffBrowser::default();
    console.sign_in(&mut browser, "/console", &["Admin"]).await.expect("signed in");
    env.advance(59 * MINUTE);
    assert_eq!(console.staff(&browser).await.expect("a session").role, StaffRole::Admin);
    env.advance(MINUTE);
    assert_eq!(console.staff(&browser).await, None, "an hour is over");
    console.sign_in(&mut browser, "/console", &["Viewer"]).await.expect("signed in");
    assert_eq!(console.staff(&browser).await.expect("a session").role, StaffRole::Viewer);
    env.advance(61 * MINUTE);
    let refused = console.sign_in(&mut browser, "/console", &[]).await;
    assert!(matches!(refused, Err(NotStaff::NoRole(_))), "{refused:?}");
    assert_eq!(console.staff(&browser).await, None);
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_before_it_succeeds() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut browser = StaffBrowser::default();
    console.sign_in(&mut browser, "/console", &["Admin"]).await.expect("signed in");
    let sent = console.at().begin_with_another_account("/console", &browser.headers()).await;
    let sent = sent.expect("it begins");
    assert!(location(&sent).contains("prompt=select_account"), "{}", location(&sent));
    browser.keep(&sent);
    assert_eq!(console.staff(&browser).await, None);
}

#[tokio::test]
async fn a_person_who_signs_out_leaves_no_cookie() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut browser = StaffBrowser::default();
    console.sign_in(&mut browser, "/console", &["Viewer"]).await.expect("signed in");
    let mut under_way = StaffBrowser::default();
    console.begin(&mut under_way, "/console").await;
    browser.cookies.extend(under_way.cookies);
    assert!(console.at().has_cookie(&browser.headers()));
    let answer = console.at().sign_out("/console/signed-out", &browser.headers());
    assert_eq!(location(&answer), "/console/signed-out");
    browser.keep(&answer);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    assert!(!console.at().has_cookie(&browser.headers()));
    let at_entra = format!("{}/{}/oauth2/v2.0/logout", console.authority(), console.tenant());
    assert_eq!(console.at().sign_out_address().as_str(), at_entra);
}

#[tokio::test]
async fn over_https_the_cookies_are_bound_to_the_host_and_live_as_long_as_they_are_needed() {
    let env = TestEnv::new().await;
    let base = ("CONSOLE_BASE_URL", "https://staff.publisher.example/");
    let console = Console::with(&env, &[base]);
    let sent = console.at().begin("/console", &Default::default()).await.expect("it begins");
    let entra = url::Url::parse(location(&sent)).expect("an address");
    let redirect = parameter(&entra, "redirect_uri");
    assert_eq!(redirect, "https://staff.publisher.example/console/signed-in");
    let cookies: Vec<_> = sent.headers().get_all(SET_COOKIE).iter().collect();
    let [round_trip, session] = cookies[..] else { panic!("{cookies:?}") };
    for (cookie, name, age) in [
        (round_trip, "__Host-console=", "; Max-Age=900;"),
        (session, "__Host-console-session=;", "; Max-Age=0;"),
    ] {
        let cookie = cookie.to_str().expect("text");
        assert!(cookie.starts_with(name) && cookie.contains(age), "{cookie}");
        assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    }
    let local = Console::new(&env);
    let mut browser = StaffBrowser::default();
    let entra = local.begin(&mut browser, "/console").await;
    let id_token = local.sign(&local.claims(&entra, &["Viewer"]));
    env.advance(14 * MINUTE);
    let query = crate::staff_sign_in_env::answer_to(&entra, "a-code");
    local.come_back(&mut browser, &query, &id_token).await.expect("within fifteen minutes");
}

#[tokio::test]
async fn a_person_who_declines_at_entra_is_not_signed_in() {
    let env = TestEnv::new().await;
    let console = Console::new(&env);
    let mut browser = StaffBrowser::default();
    let entra = console.begin(&mut browser, "/console").await;
    let query = format!("error=access_denied&state={}", parameter(&entra, "state"));
    let declined = console.come_back(&mut browser, &query, "").await;
    assert!(matches!(declined, Err(NotStaff::SignIn(SignInError::Declined))), "{declined:?}");
    assert_eq!(console.staff(&browser).await, None);
}
