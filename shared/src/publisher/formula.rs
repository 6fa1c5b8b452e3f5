//! Texts in a table: customers choose names, and a spreadsheet would carry out a name that is a
//! formula.
//!
//! <https://owasp.org/www-community/attacks/CSV_Injection>

/// Puts an apostrophe in front of each place of a text that a spreadsheet may take for a formula, or
/// that begins with an apostrophe.
///
/// A spreadsheet that separates columns by semicolons or tabs, as many European ones do, also ends a
/// cell within our quotation marks. So each part of the text is treated as a cell of its own.
pub fn guarded(text: &str) -> String {
    let mut guarded = String::with_capacity(text.len() + 1);
    let mut begins = true;
    for (at, letter) in text.char_indices() {
        if begins && is_dangerous(&text[at..]) {
            guarded.push('\'');
        }
        guarded.push(letter);
        begins = SEPARATORS.contains(&letter);
    }
    guarded
}

/// Where a spreadsheet may begin another cell.
const SEPARATORS: [char; 4] = [';', '\t', '\r', '\n'];

/// The signs that begin a formula, the last four as Japanese and Chinese keyboards write them; and
/// what a spreadsheet may skip or drop to find one.
const SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn is_dangerous(cell: &str) -> bool {
    let inner = cell.trim_start_matches(['"', ' ']);
    cell.starts_with('\'') || inner.starts_with(SIGNS) || inner.starts_with('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the documentation tells readers to do it.
    fn unguarded(text: &str) -> String {
        let mut original = String::new();
        let mut begins = true;
        for letter in text.chars() {
            if !(begins && letter == '\'') {
                original.push(letter);
            }
            begins = SEPARATORS.contains(&letter);
        }
        original
    }

    #[test]
    fn no_cell_begins_with_a_formula_whatever_separates_the_columns() {
        for (text, expected) in [
            ("Contoso", "Contoso"),
            ("Müller & Söhne, \"GmbH\"", "Müller & Söhne, \"GmbH\""),
            ("adele@contoso.example", "adele@contoso.example"),
            ("a-b=c+d", "a-b=c+d"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("+46 8 123", "'+46 8 123"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            ("  =1", "'  =1"),
            ("\"=1\"", "'\"=1\""),
            ("＝1", "'＝1"),
            ("Contoso;=1", "Contoso;'=1"),
            ("Contoso; \"=1", "Contoso;' \"=1"),
            ("Contoso\n=1", "Contoso\n'=1"),
            ("a;b", "a;b"),
            ("'s-Hertogenbosch", "''s-Hertogenbosch"),
            ("'=1", "''=1"),
            ("a;'b", "a;''b"),
        ] {
            assert_eq!(guarded(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_original_is_the_text_without_those_apostrophes() {
        // Every text of up to five of these characters.
        let letters = ['=', '\'', ';', '"', ' ', '\n', 'a'];
        let mut texts = vec![String::new()];
        for length in 0..5 {
            let longest: Vec<_> =
                texts.iter().filter(|text| text.len() == length).cloned().collect();
            for text in longest {
                texts.extend(letters.iter().map(|letter| format!("{text}{letter}")));
            }
        }
        assert_eq!(texts.len(), (0..=5).map(|length| 7_usize.pow(length)).sum::<usize>());
        for text in texts {
            assert_eq!(unguarded(&guarded(&text)), text);
        }
    }
}
