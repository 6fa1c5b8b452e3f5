//! Text in lines.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The text in lines of this width. A longer word has a line of its own, so that no id is broken.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The same for a text that others wrote: longer words are broken.
pub(crate) fn broken(text: &str, width: usize) -> Vec<String> {
    wrapped(text, width).iter().flat_map(|line| pieces(line, width)).collect()
}

fn pieces(line: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut room = width;
    for character in line.chars() {
        let needs = character.width().unwrap_or(0);
        if needs > room {
            pieces.push(String::new());
            room = width;
        }
        room = room.saturating_sub(needs);
        pieces.last_mut().expect("there is one from the start").push(character);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_unless_others_wrote_them() {
        let text = "a queue is full-and-has-been-so";
        assert_eq!(wrapped(text, 10), ["a queue is", "full-and-has-been-so"]);
        assert_eq!(broken(text, 10), ["a queue is", "full-and-h", "as-been-so"]);
        assert_eq!(broken("東京東京東京", 5), ["東京", "東京", "東京"]);
        assert_eq!(broken("", 10), [""; 0]);
    }
}
