//! The lines of an export.

use serde_json::{Value, json};

use super::columns::{self, OF_EVENTS, OF_NOTES, OF_RECORDS};
use super::options::{ExportFormat, ExportPart};

pub(super) enum Rows {
    /// `{"record": …}`, `{"event": …}` or `{"note": …}` on each line, as the API answers it.
    Lines,
    /// A table with these columns.
    Table(&'static [&'static str]),
}

impl Rows {
    pub(super) fn of(format: ExportFormat, only: Option<ExportPart>) -> Self {
        match (format, only) {
            (ExportFormat::Jsonl, _) => Self::Lines,
            (ExportFormat::Csv, Some(ExportPart::Events)) => Self::Table(OF_EVENTS),
            (ExportFormat::Csv, Some(ExportPart::Notes)) => Self::Table(OF_NOTES),
            // The command line asks for a part with this format.
            (ExportFormat::Csv, Some(ExportPart::Records) | None) => Self::Table(OF_RECORDS),
        }
    }

    /// The first line of a table.
    pub(super) fn heading(&self) -> Option<Vec<u8>> {
        match self {
            Self::Lines => None,
            Self::Table(columns) => Some(columns::heading(columns)),
        }
    }

    pub(super) fn record(&self, record: &Value) -> Vec<u8> {
        self.line("record", record)
    }

    pub(super) fn event(&self, event: &Value) -> Vec<u8> {
        self.line("event", event)
    }

    pub(super) fn note(&self, note: &Value) -> Vec<u8> {
        self.line("note", note)
    }

    fn line(&self, what: &str, object: &Value) -> Vec<u8> {
        match self {
            Self::Lines => format!("{}\n", json!({ what: object })).into_bytes(),
            Self::Table(columns) => columns::row(columns, object),
        }
    }
}
