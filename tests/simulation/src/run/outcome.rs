//! What came of a function.

use bytes::Bytes;
use delivery::Failures;
use http::Response;
use reconciliation::Report;

use super::purpose::Purpose;

/// How a function answered.
pub(super) enum Outcome {
    Answer(Response<Bytes>),
    Slice(Report),
    Stream(Failures),
    Sweep,
}

impl Outcome {
    /// The name under which a run counts it.
    pub(super) fn case(&self, purpose: &Purpose) -> String {
        let name = purpose.name();
        match self {
            Self::Answer(answer) => format!("{name}: {}", answer.status().as_u16()),
            Self::Slice(report) => {
                let end = match report {
                    Report { full_round: true, .. } => "end of the list",
                    Report { finished: true, .. } => "end of the run",
                    _ => "more to do",
                };
                format!("{name}: {end}")
            }
            Self::Stream(failures) if failures.batch_item_failures.is_empty() => {
                format!("{name}: delivered")
            }
            Self::Stream(_) => format!("{name}: failures"),
            Self::Sweep => format!("{name}: ended"),
        }
    }
}
