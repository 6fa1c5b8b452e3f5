//! What to export, and in which form.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// Only what `search` finds by this text, such as
    /// a person's e-mail address
    #[arg(long, verbatim_doc_comment, value_name = "TEXT", conflicts_with = "id")]
    pub(crate) search: Option<String>,
    /// JSON lines hold everything. CSV has a table of
    /// records, events or notes, and needs --only
    #[arg(long, verbatim_doc_comment, default_value = "jsonl")]
    pub(crate) format: ExportFormat,
    /// Only the records, only the events, or only the
    /// notes [default: all three]
    #[arg(long, verbatim_doc_comment, value_name = "PART", required_if_eq("format", "csv"))]
    pub(crate) only: Option<ExportPart>,
    /// The file, which appears once it is complete
    /// [default: standard output]
    #[arg(long, verbatim_doc_comment, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A JSON object on each line.
    Jsonl,
    /// A table with commas (RFC 4180).
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportPart {
    Records,
    Events,
    Notes,
}
