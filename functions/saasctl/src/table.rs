//! How things look.

use std::io::{ErrorKind, Write as _};

use comfy_table::{ContentArrangement, presets};
use jiff::Timestamp;
use serde_json::Value;

use crate::failure::Failure;

/// For people or for programs.
pub struct Output {
    /// For programs.
    pub json: bool,
}

impl Output {
    /// Prints a result. Whoever reads it may stop before its end.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        match writeln!(std::io::stdout(), "{text}") {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::Unavailable(format!("the result can't be written: {error}")))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Says what is going on.
    pub fn note(&self, text: &str) {
        // Nothing can be said about it where nothing can be said.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Says why it was not done.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            return self.note(&failure.to_json().to_string());
        }
        self.note(&format!("error[{}]: {failure}", failure.code()));
        if let Some(hint) = failure.hint() {
            self.note(&format!("hint: {hint}"));
        }
    }
}

/// A table for people; as wide as the terminal, where there is one.
pub struct Table {
    table: comfy_table::Table,
    rows: usize,
}

impl Table {
    /// A table with these headings, or with none.
    pub fn of(headings: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if !headings.is_empty() {
            table.set_header(headings);
        }
        Self { table, rows: 0 }
    }

    /// One more line.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows += 1;
        self.table.add_row(cells);
    }

    /// The table, or what is said in its place where it is empty.
    pub fn or_none(&self, none: &str) -> String {
        if self.rows == 0 {
            return none.to_owned();
        }
        self.table
            .lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect::<String>()
            .trim_end()
            .to_owned()
    }
}

/// A value as text; nothing for none.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A number of seats; nothing for a flat rate.
pub fn seats(value: &Value) -> String {
    value.as_u64().map(|seats| seats.to_string()).unwrap_or_default()
}

/// A time to the second, or its day alone.
pub fn when(value: &Value, day: bool) -> String {
    let Some(at) = value.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else {
        return text(value);
    };
    at.strftime(if day { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

/// What changed from what to what, in an event.
pub fn change_of(event: &Value) -> String {
    match (&event["from"], &event["to"]) {
        (Value::Null, Value::Null) => String::new(),
        (from, to) => format!("{} → {}", text(from), text(to)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_for_people() {
        assert_eq!(text(&json!(null)), "");
        assert_eq!(text(&json!("a")), "a");
        assert_eq!(text(&json!(true)), "true");
        assert_eq!(seats(&json!(7)), "7");
        assert_eq!(seats(&json!(null)), "");
        assert_eq!(when(&json!("2026-04-03T12:30:00.5Z"), false), "2026-04-03 12:30:00");
        assert_eq!(when(&json!("2026-04-03T12:30:00Z"), true), "2026-04-03");
        assert_eq!(when(&json!("soon"), true), "soon");
        assert_eq!(change_of(&json!({ "from": 7, "to": 9 })), "7 → 9");
        assert_eq!(change_of(&json!({ "type": "Activated" })), "");
    }

    #[test]
    fn a_table_without_lines_says_so() {
        let mut table = Table::of(&["A", "B"]);
        assert_eq!(table.or_none("nothing"), "nothing");
        table.row(["one".to_owned(), String::new()]);
        let drawn = table.or_none("nothing");
        assert!(
            drawn.contains("one") && drawn.lines().all(|line| line == line.trim_end()),
            "{drawn}"
        );
    }
}
