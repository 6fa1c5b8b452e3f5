//! Pages of List Subscriptions, and the link from one to the next (F-LST).

use super::*;

#[test]
fn t_10_an_empty_list_has_four_forms() {
    for empty in ["", "  \r\n", "{}", r#"{"subscriptions":null}"#, r#"{"subscriptions":[]}"#] {
        let page = SubscriptionPage::parse(empty.as_bytes()).expect("an empty list (F-LST-6)");
        assert!(page.subscriptions.is_empty() && page.next == Ok(None), "{empty:?}");
        assert_eq!(page.unreadable, 0, "{empty:?}");
    }
    for broken in ["<html>", "{", "7", "\"no\""] {
        assert!(SubscriptionPage::parse(broken.as_bytes()).is_none(), "{broken:?}");
    }
}

#[test]
fn t_10_only_a_missing_or_empty_next_link_ends_the_list() {
    for last in [json!(null), json!(""), json!("  ")] {
        let page = page(json!({ "subscriptions": [full()], "@nextLink": last }));
        assert_eq!((page.subscriptions.len(), page.next), (1, Ok(None)), "{last}");
    }
    assert_eq!(page(json!({ "subscriptions": [full()] })).next, Ok(None));
    // An empty page is not the last one if it has a link.
    let link = "https://a.example/api/saas/subscriptions/?continuationToken=abc";
    let empty = page(json!({ "subscriptions": [], "@nextLink": link }));
    assert_eq!(empty.next, Ok(Some("abc".to_owned())));
    // A page whose link can't be followed counts, and is not the last one.
    let broken = page(json!({ "subscriptions": [full()], "@nextLink": "later" }));
    assert_eq!((broken.subscriptions.len(), broken.next), (1, Err(Malformed::NextLink)));
}

#[test]
fn t_10_a_continuation_token_is_decoded_once_from_any_form_of_link() {
    // F-LST-5: percent-encoded JSON, another host, any place in the query, a malformed sample.
    let token = r#"[{"token":"+RID:x==#RT:1","range":{"min":"","max":"FF"}}]"#;
    let encoded = "%5B%7B%22token%22%3A%22%2BRID%3Ax%3D%3D%23RT%3A1%22%2C%22range%22%3A%7B%22min%22%3A%22%22%2C%22max%22%3A%22FF%22%7D%7D%5D";
    for link in [
        format!(
            "https://main.prod.marketplaceapi.azure.example/api/saas/subscriptions/?continuationToken={encoded}&api-version=2018-08-31"
        ),
        format!(
            "https://m.example/api/saas/subscriptions?api-version=2018-08-31&continuationToken={encoded}"
        ),
        format!("https:// https://m.example/api/saas/subscriptions/?continuationToken={encoded}"),
        format!("/saas/subscriptions?continuationToken={encoded}"),
    ] {
        let page = page(json!({ "subscriptions": [], "@nextLink": link }));
        assert_eq!(page.next, Ok(Some(token.to_owned())), "{link}");
    }
    let once = "https://m.example/?continuationToken=a%252Bb";
    let page = page(json!({ "@nextLink": once }));
    assert_eq!(page.next, Ok(Some("a%2Bb".to_owned())), "decoded once");
}

#[test]
fn t_10_an_unreadable_entry_is_counted_and_the_others_are_read() {
    let page = page(json!({ "subscriptions": [full(), 7, null, "x", full()] }));
    assert_eq!((page.subscriptions.len(), page.unreadable), (2, 3));
}

#[test]
fn half_a_character_in_one_name_costs_no_entry_of_the_page() {
    // F-GEN-14.
    for broken in [&br"cut \ud83d"[..], b"cut \xf0\x9f\x98"] {
        let body =
            json!({ "subscriptions": [with(json!({ "name": "NAME" })), full()] }).to_string();
        let (before, after) = body.split_once("NAME").expect("a name");
        let body = [before.as_bytes(), broken, after.as_bytes()].concat();
        let page = SubscriptionPage::parse(&body).expect("a page");
        assert_eq!((page.subscriptions.len(), page.unreadable), (2, 0));
        assert_eq!(page.subscriptions[0].name.as_deref(), Some("cut \u{fffd}"));
    }
}
