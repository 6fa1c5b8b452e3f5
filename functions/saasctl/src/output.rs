//! Where results, notes and failures go.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use unicode_width::UnicodeWidthStr as _;

use crate::command_error::CommandError;
use crate::table::terminal_width;
use crate::wrapped::wrapped;

pub(crate) struct Output {
    /// JSON for programs, instead of text for people.
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result. It is not an error if the reader closes the pipe early.
    pub(crate) fn print(&self, text: &str) -> Result<(), CommandError> {
        match writeln!(std::io::stdout(), "{text}") {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(CommandError::Unavailable(format!("could not write the result: {error}")))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Prints lines to standard error. They are wrapped at the terminal's width.
    pub(crate) fn note(&self, text: &str) {
        let text = match terminal_width().filter(|_| !self.json) {
            Some(width) => {
                text.lines().map(|line| fitting(line, width)).collect::<Vec<_>>().join("\n")
            }
            None => text.to_owned(),
        };
        // If standard error is closed, there is nowhere to report that.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    pub(crate) fn failure(&self, failure: &CommandError) {
        if self.json {
            return self.note(&failure.to_json().to_string());
        }
        self.note(&format!("error[{}]: {failure}", failure.code()));
        if let Some(hint) = failure.hint() {
            self.note(&format!("hint: {hint}"));
        }
    }

    /// Replaces the progress line on a terminal. An empty text removes the line.
    pub(crate) fn progress(&self, text: &str) {
        let mut stderr = std::io::stderr();
        if stderr.is_terminal() {
            let _ = write!(stderr, "\r\u{1b}[K{text}");
        }
    }
}

/// A line, or several where it is too long. The later ones are indented like the first one.
fn fitting(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    let lines = wrapped(line, width.saturating_sub(indent.len()));
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_wrapped_between_words_and_a_short_one_stays() {
        assert_eq!(fitting("id  Contoso  Subscribed", 40), "id  Contoso  Subscribed");
        assert_eq!(fitting("  one two three four", 10), "  one two\n  three\n  four");
    }
}
