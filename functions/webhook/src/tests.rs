//! The part of a call that may be logged.

use super::*;

#[test]
fn an_action_is_logged_only_if_it_is_a_plain_word() {
    let long = "a".repeat(65);
    for (sent, logged) in [
        ("ChangePlan", "ChangePlan"),
        ("Transfer", "Transfer"),
        (&long[..64], &long[..64]),
        (&long, "(not a word)"),
        ("a@contoso.example", "(not a word)"),
        ("two words", "(not a word)"),
    ] {
        let action = serde_json::from_value(serde_json::json!(sent)).expect("any text");
        assert_eq!(loggable(&action), logged, "{sent}");
    }
}
