//! Tables and values as people read them.

use comfy_table::{ContentArrangement, presets};
use jiff::Timestamp;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::printable::printable;

/// A table that wraps its cells to the width of the terminal.
pub(crate) struct Table {
    table: comfy_table::Table,
    rows: usize,
}

impl Table {
    /// A table with these headings. Without headings, the table has no heading line.
    pub(crate) fn of(headings: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(columns) = columns() {
            table.set_width(columns);
        }
        if !headings.is_empty() {
            table.set_header(headings);
        }
        Self { table, rows: 0 }
    }

    /// The same, with each row on one line, however long it is.
    pub(crate) fn unwrapped(headings: &[&str]) -> Self {
        let mut made = Self::of(headings);
        made.table.set_content_arrangement(ContentArrangement::Disabled);
        made
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows += 1;
        self.table.add_row(cells);
    }

    /// The table, or this text if it has no rows.
    pub(crate) fn or_if_empty(&self, replacement: &str) -> String {
        if self.rows == 0 {
            return replacement.to_owned();
        }
        self.table
            .lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect::<String>()
            .trim_end()
            .to_owned()
    }
}

/// How many characters a line may have: as `COLUMNS` says, or as the terminal has; `None` where the output
/// goes elsewhere.
pub(crate) fn terminal_width() -> Option<usize> {
    columns().or_else(|| comfy_table::Table::new().width()).map(usize::from)
}

/// Shells keep this variable to themselves, so whoever exports it means it.
fn columns() -> Option<u16> {
    std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0)
}

/// A value as text; empty for null.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}

/// The beginning of a text that is too long, with an ellipsis.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        if format!("{short}{letter}…").width() > width {
            break;
        }
        short.push(letter);
    }
    short + "…"
}

/// A number of seats; empty for a flat rate.
pub(crate) fn seats(value: &Value) -> String {
    value.as_u64().map(|seats| seats.to_string()).unwrap_or_default()
}

/// A time to the second, or only its day.
pub(crate) fn when(value: &Value, day: bool) -> String {
    let Some(at) = value.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else {
        return text(value);
    };
    at.strftime(if day { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_have_a_readable_form() {
        assert_eq!(text(&json!(null)), "");
        assert_eq!(text(&json!("a")), "a");
        assert_eq!(text(&json!("a\u{1b}[2Jb")), "a[2Jb");
        assert_eq!(text(&json!(true)), "true");
        assert_eq!(seats(&json!(7)), "7");
        assert_eq!(seats(&json!(null)), "");
        assert_eq!(when(&json!("2026-04-03T12:30:00.5Z"), false), "2026-04-03 12:30:00");
        assert_eq!(when(&json!("2026-04-03T12:30:00Z"), true), "2026-04-03");
        assert_eq!(when(&json!("soon"), true), "soon");
    }

    #[test]
    fn an_empty_table_prints_the_replacement() {
        let mut table = Table::of(&["A", "B"]);
        assert_eq!(table.or_if_empty("nothing"), "nothing");
        table.row(["one".to_owned(), String::new()]);
        let drawn = table.or_if_empty("nothing");
        assert!(
            drawn.contains("one") && drawn.lines().all(|line| line == line.trim_end()),
            "{drawn}"
        );
    }
}
