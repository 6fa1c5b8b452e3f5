//! Text that others chose, such as the name of a subscription, without what controls a terminal.

/// Drops control characters and those that change the direction of text. An escape sequence could
/// rewrite the lines before it, and a change of direction could make one value look like another.
pub(crate) fn printable(text: &str) -> String {
    let is_hidden = |character: char| {
        character.is_control()
            || matches!(
                character,
                '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            )
    };
    text.chars().filter(|character| !is_hidden(*character)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_controls_a_terminal_is_left() {
        for (text, expected) in [
            ("\u{1b}[2JContoso", "[2JContoso"),
            ("Contoso\r\nStatus  Subscribed", "ContosoStatus  Subscribed"),
            ("\u{9b}31mred", "31mred"),
            ("\u{202e}osotnoC\u{2066}", "osotnoC"),
            ("Café 東京 مرحبا", "Café 東京 مرحبا"),
        ] {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }
}
