//! What of a call may be logged.

use super::*;

#[test]
fn a_word_is_logged_as_it_is_and_nothing_else_that_stands_in_its_place() {
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
