//! The names of cases.

use std::fmt::Debug;

use crate::product::guid_at_the_end;

/// A variant's name in words: `TimedOutBefore` is "timed out before".
pub(crate) fn words(variant: impl Debug) -> String {
    let mut words = String::new();
    for letter in format!("{variant:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// The call that an effect's name describes, without the ids in its path and without what it writes.
pub(crate) fn call(effect: &str) -> String {
    let call = effect.split(" [").next().unwrap_or_default();
    call.replace("/api/saas/", "/").split('/').map(without_id).collect::<Vec<_>>().join("/")
}

fn without_id(segment: &str) -> &str {
    if guid_at_the_end(segment).is_some() { "*" } else { segment }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_named_in_words() {
        assert_eq!(words(crate::Fault::TimedOutBefore), "timed out before");
    }

    #[test]
    fn a_call_is_named_without_ids_and_contents() {
        let id = uuid::Uuid::nil();
        for (effect, name) in [
            ("table: load with mark".to_owned(), "table: load with mark"),
            ("table: commit [\"Renewed\"] mark None".to_owned(), "table: commit"),
            (
                format!("PATCH /api/saas/subscriptions/{id}/operations/change%201{id}"),
                "PATCH /subscriptions/*/operations/*",
            ),
            (format!("POST /{id}/oauth2/v2.0/token"), "POST /*/oauth2/v2.0/token"),
        ] {
            assert_eq!(call(&effect), name);
        }
    }
}
