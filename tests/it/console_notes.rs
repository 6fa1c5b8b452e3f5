//! Notes at the console: the staff add them, and read them in the history.

use std::time::Duration;

use emulator::Purchase;
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::console_env::{ADMIN, Desk, OPERATOR, VIEWER, page_of};
use crate::erasure_env::{ended, erased};
use crate::test_env::{TestEnv, is_problem};

const MARKUP: &str = "<script>alert(1)</script> & <b>Ask Anna</b>";

async fn notes(env: &TestEnv, id: Uuid) -> Vec<Value> {
    let answer = env.get(&format!("/subscriptions/{id}/notes")).await;
    answer.json()["notes"].as_array().expect("a list").clone()
}

/// The places of these texts in a page, in which each of them must be.
fn places<const N: usize>(page: &str, texts: [&str; N]) -> [usize; N] {
    texts.map(|text| page.find(text).unwrap_or_else(|| panic!("{text} in {page}")))
}

#[tokio::test]
async fn a_note_stands_in_the_history_at_its_time_with_the_person() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("team", 12).named("Fleet of twelve")).await;
    let mut olof = Desk::of(&env, OPERATOR).await;
    let path = format!("{}/note", page_of(id));
    let asked = olof.page(&path).await;
    places(&asked, ["Add a note", "with your name and the time", "maxlength=\"1000\""]);
    env.advance(Duration::from_secs(60));
    let added = olof.act(&path, &[("note", " Renewal talks in May ")]).await;
    assert_eq!(added.headers["location"], format!("{}?done=note", page_of(id)), "{}", added.body);
    env.advance(Duration::from_secs(60));
    env.world(|world| world.change_quantity(id, 15)).expect("a change");
    env.deliver_all().await;
    env.advance(Duration::from_secs(60));
    let mut ada = Desk::of(&env, ADMIN).await;
    ada.act(&path, &[("note", "They renew")]).await;

    let page = Desk::of(&env, VIEWER).await.page(&page_of(id)).await;
    let (_, history) = page.split_once("id=\"history\"").expect("a history");
    let found = places(
        history,
        [
            "They renew",
            "Ada Admin",
            "Seats changed",
            "Renewal talks in May",
            "Olof Operator",
            "Purchased",
        ],
    );
    assert!(found.is_sorted(), "the latest first: {found:?}");
    places(history, ["9:16 UTC", "in the console"]);
    let notes = notes(&env, id).await;
    let by = notes[0]["by"].as_str().expect("an author");
    assert!(by.starts_with("console: Olof Operator ("), "{by}");
    let done = olof.page(&format!("{}?done=note", page_of(id))).await;
    places(&done, ["Your note was added to the history."]);

    let file = olof.get(&format!("{}/data.json", page_of(id))).await.json();
    assert_eq!(file["notes"], json!(notes), "the file of everything has them");
}

#[tokio::test]
async fn a_form_that_is_sent_twice_adds_one_note_also_after_the_record_has_changed() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("team", 12)).await;
    let mut olof = Desk::of(&env, OPERATOR).await;
    let path = format!("{}/note", page_of(id));
    let mut fields = olof.hidden(&path).await;
    fields.insert("note".to_owned(), "Renewal talks in May".to_owned());
    let form: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    env.world(|world| world.change_quantity(id, 15)).expect("a change");
    env.deliver_all().await;
    for _ in 0..2 {
        let sent = olof.post(&path, &form).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    }
    assert_eq!(notes(&env, id).await.len(), 1);
}

#[tokio::test]
async fn the_text_of_a_note_never_becomes_markup() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("team", 12)).await;
    let mut olof = Desk::of(&env, OPERATOR).await;
    olof.act(&format!("{}/note", page_of(id)), &[("note", MARKUP)]).await;
    let page = olof.page(&page_of(id)).await;
    places(
        &page,
        ["&#60;script&#62;alert(1)&#60;/script&#62; &#38; &#60;b&#62;Ask Anna&#60;/b&#62;"],
    );
    assert!(!page.contains("<script") && !page.contains("<b>Ask"), "{page}");
}

#[tokio::test]
async fn a_text_that_is_no_note_and_a_viewers_note_are_refused() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("team", 12)).await;
    let path = format!("{}/note", page_of(id));
    let mut olof = Desk::of(&env, OPERATOR).await;
    let long = "a".repeat(1001);
    for (text, says) in [
        ("", "Write the note."),
        (" ", "Write the note."),
        ("two\nlines", "no line breaks"),
        (&long, "1 to 1000 characters"),
    ] {
        let refused = olof.act(&path, &[("note", text)]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
        assert!(refused.body.contains(says), "{says}: {}", refused.body);
    }
    let fields = olof.hidden(&path).await;
    let mut vera = Desk::of(&env, VIEWER).await;
    assert!(!vera.page(&page_of(id)).await.contains("Add a note"));
    assert_eq!(vera.get(&path).await.status, StatusCode::FORBIDDEN);
    let mut form: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    form.push(("note", "a"));
    assert_eq!(vera.post(&path, &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(notes(&env, id).await, [Value::Null; 0]);
}

#[tokio::test]
async fn metadata_that_is_named_note_is_shown_as_any_other_and_is_no_note() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::per_seat("team", 12)).await;
    env.change(id, &json!({ "metadata": { "note": "from our own systems" } })).await;
    let page = Desk::of(&env, VIEWER).await.page(&page_of(id)).await;
    places(&page, ["<dt>note</dt><dd>from our own systems</dd>"]);
    assert_eq!(notes(&env, id).await, [Value::Null; 0]);
}

#[tokio::test]
async fn an_erased_subscription_shows_no_note_and_takes_none() {
    let env = TestEnv::new().await;
    let id = ended(&env).await;
    let path = format!("{}/note", page_of(id));
    let mut olof = Desk::of(&env, OPERATOR).await;
    olof.act(&path, &[("note", "Call Zoe at the zanzibar office")]).await;
    assert_eq!(notes(&env, id).await.len(), 1);
    erased(&env, id).await;
    let page = olof.page(&page_of(id)).await;
    assert!(!page.contains("zanzibar") && !page.contains("Add a note"), "{page}");
    let late = olof.act(&path, &[("note", "a")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    let request = env.http.post(env.url(&format!("/subscriptions/{id}/notes")));
    let late = env.send(request.body(r#"{"text":"a"}"#)).await;
    is_problem(&late, StatusCode::CONFLICT, "personal_data_erased");
}
