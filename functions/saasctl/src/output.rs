//! Where results, notes and failures go.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use crate::command_error::CommandError;

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

    /// Prints a line to standard error.
    pub(crate) fn note(&self, text: &str) {
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
