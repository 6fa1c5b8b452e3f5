//! The link from a page of List Subscriptions to the next one (F-LST-5).
//!
//! Every link that was seen holds a continuation token. Of a link without one, the path below the
//! list and the query are followed. We use nothing else of a link: it may name another host, which
//! must not get our bearer token (F-GEN-8).

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

/// How the cursor of a link without a continuation token begins. Every other cursor is a token.
const FOLLOWED: &str = "next-link:";

/// The path of the list, below the base address.
const LIST: &str = "/saas/subscriptions";

/// The cursor in the `@nextLink` of a page: `Some(None)` on the last page, `None` if the list goes
/// on and the link can't be followed. An unusable link must not look like the end of the list
/// (F-LST-4).
pub(super) fn cursor(link: &Value) -> Option<Option<String>> {
    match link {
        Value::Null => Some(None),
        Value::String(link) if link.trim().is_empty() => Some(None),
        Value::String(link) => match raw_token(link) {
            Some(raw) => decoded(raw).map(Some),
            None => followed(link.trim()).map(Some),
        },
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The path below the list and the query of a cursor that is no continuation token.
pub(super) fn path_and_query(cursor: &str) -> Option<(&str, &str)> {
    let link = cursor.strip_prefix(FOLLOWED)?;
    Some(link.split_once('?').unwrap_or((link, "")))
}

/// The continuation token of a link, as it stands there.
fn raw_token(link: &str) -> Option<&str> {
    let (_, query) = link.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.eq_ignore_ascii_case("continuationToken")).map(|(_, raw)| raw)
}

/// The token, decoded once. No token may pass for a link.
fn decoded(raw: &str) -> Option<String> {
    let token = percent_decode_str(raw).decode_utf8().ok()?;
    (!token.is_empty() && !token.starts_with(FOLLOWED)).then(|| token.into_owned())
}

fn followed(link: &str) -> Option<String> {
    // The host counts for nothing. A link may be relative to the list.
    let list = Url::parse(&format!("https://any.invalid{LIST}")).ok()?;
    let url = list.join(link).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let (_, below) = url.path().split_once(LIST)?;
    let is_below = below.is_empty() || below.starts_with('/');
    // The list itself, without a query, is its first page.
    let leads_on = url.query().is_some() || below.len() > 1;
    let query = url.query().unwrap_or_default();
    (is_below && leads_on).then(|| format!("{FOLLOWED}{below}?{query}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_link_without_a_continuation_token_is_followed_by_its_path_and_query() {
        for (link, path, query) in [
            ("https://m.example/api/saas/subscriptions?$skiptoken=a%2Bb", "", "$skiptoken=a%2Bb"),
            ("http://other.example:8443/v2/saas/subscriptions/?page=2&x", "/", "page=2&x"),
            ("https://m.example/api/saas/subscriptions/pages/2", "/pages/2", ""),
            ("/api/saas/subscriptions?page=2#part", "", "page=2"),
            ("//evil.example/saas/subscriptions?page=2", "", "page=2"),
            ("?page=2", "", "page=2"),
            (" ?page=a b ", "", "page=a%20b"),
        ] {
            let cursor = cursor(&json!(link)).expect("a link").expect("not the last page");
            assert_eq!(path_and_query(&cursor), Some((path, query)), "{link}");
        }
        assert_eq!(path_and_query("a/token?x"), None);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_neither_followed_nor_the_end_of_the_list() {
        for link in [
            json!("later"),
            json!("https://"),
            json!("https:// https://m.example/api/saas/subscriptions/?page=2"),
            json!("https://m.example/api/other?page=2"),
            json!("https://m.example/api/saas/subscriptionsandmore?page=2"),
            json!("https://m.example/api/saas/subscriptions"),
            json!("https://m.example/api/saas/subscriptions/../plans?page=2"),
            json!("file:///saas/subscriptions?page=2"),
            json!("javascript:/saas/subscriptions?page=2"),
            json!("https://m.example/saas/subscriptions?page=2&continuationToken="),
            json!("https://m.example/saas/subscriptions?continuationToken=%ff"),
            // A token that would pass for a link.
            json!("https://m.example/saas/subscriptions?continuationToken=next-link:/x?y"),
            json!(7),
            json!(true),
            json!({}),
            json!(["?page=2"]),
        ] {
            assert_eq!(cursor(&link), None, "{link}");
        }
    }
}
