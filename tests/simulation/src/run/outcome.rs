//! What came of a function.

use bytes::Bytes;
use delivery::Failures;
use http::Response;

use super::purpose::Purpose;

/// How a function answered.
pub(super) enum Outcome {
    Answer(Response<Bytes>),
    Slice { finished: bool, examined: u64 },
    Stream(Failures),
    Sweep,
}

impl Outcome {
    /// The name under which a run counts it.
    pub(super) fn case(&self, purpose: &Purpose) -> String {
        let name = purpose.name();
        match self {
            Self::Answer(answer) => format!("{name}: {}", answer.status().as_u16()),
            Self::Slice { finished: true, .. } => format!("{name}: end of the list"),
            Self::Slice { finished: false, .. } => format!("{name}: more to do"),
            Self::Stream(failures) if failures.batch_item_failures.is_empty() => {
                format!("{name}: delivered")
            }
            Self::Stream(_) => format!("{name}: failures"),
            Self::Sweep => format!("{name}: ended"),
        }
    }
}
