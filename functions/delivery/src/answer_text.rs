//! What a receiver wrote in its answer, as people can read it.

/// How much of the text is kept, in characters.
const LONGEST: usize = 500;

/// How much of a body is read, in bytes. Text of this length has [`LONGEST`] characters, however long each is.
pub(crate) const MOST_READ: usize = 2048;

/// Of so many characters, one may be broken or a control character. In more than that, it is no text.
const TOLERATED: usize = 5;

/// The text in the beginning of a body, on one line; `None` if it is no text, or an empty one.
pub(crate) fn readable(body: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut chunks = body.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        let is_cut = body.len() >= MOST_READ && chunks.peek().is_none();
        if !chunk.invalid().is_empty() && !is_cut {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    let (mut all, mut strange) = (0, 0);
    for character in text.chars() {
        all += 1;
        let is_control = character.is_control() && !character.is_whitespace();
        strange += usize::from(is_control || character == char::REPLACEMENT_CHARACTER);
    }
    if strange * TOLERATED > all {
        return None;
    }
    let mut line = String::new();
    for word in text.split(char::is_whitespace) {
        let word: String = word.chars().filter(|character| !character.is_control()).collect();
        if !word.is_empty() && !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    let line: String = line.chars().take(LONGEST).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_on_one_line_without_control_characters() {
        for (body, expected) in [
            (&b"the queue is full"[..], Some("the queue is full")),
            (b"{\n  \"error\":\t\"full\"\r\n}\n", Some("{ \"error\": \"full\" }")),
            (b"\x1b[2Jred, and more of it", Some("[2Jred, and more of it")),
            ("Kön är full".as_bytes(), Some("Kön är full")),
            // Latin 1.
            (
                b"K\xf6n \xe4r full, s\xe4ger produkten",
                Some("K\u{fffd}n \u{fffd}r full, s\u{fffd}ger produkten"),
            ),
            (b"", None),
            (b" \r\n ", None),
        ] {
            assert_eq!(readable(body).as_deref(), expected, "{body:?}");
        }
    }

    #[test]
    fn the_first_500_characters_are_kept_whatever_their_length() {
        let long = "ö".repeat(2000);
        let read = &long.as_bytes()[..MOST_READ];
        assert_eq!(readable(read), Some("ö".repeat(500)));
        // The cut is in the middle of a character.
        let cut = format!("x{}", "🌍".repeat(600));
        let read = &cut.as_bytes()[..MOST_READ];
        assert_eq!(readable(read).map(|text| text.chars().count()), Some(500));
        assert!(readable(read).is_some_and(|text| !text.contains('\u{fffd}')));
    }

    #[test]
    fn bytes_that_are_no_text_are_not_kept() {
        let png =
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
        let gzip =
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x57\x28\xcf\x2f\xca\x49\x01\0";
        let utf_16: Vec<u8> = "the queue".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for body in [&png[..], gzip, &utf_16] {
            assert_eq!(readable(body), None, "{body:?}");
        }
    }
}
