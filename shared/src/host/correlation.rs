//! The correlation id of the work in progress: on its log lines, and on every call it makes to
//! Microsoft (F-GEN-5).

use std::future::Future;

use tracing::field::display;
use tracing::{Instrument, Span};
use uuid::Uuid;

tokio::task_local! {
    static CORRELATION_ID: Uuid;
}

/// Runs `work` inside `span`, which must have a field `correlation_id`.
pub async fn in_span<F: Future>(correlation_id: Uuid, span: Span, work: F) -> F::Output {
    span.record("correlation_id", display(correlation_id));
    CORRELATION_ID.scope(correlation_id, work).instrument(span).await
}

/// The correlation id of the work that runs now.
pub fn current() -> Option<Uuid> {
    CORRELATION_ID.try_with(|id| *id).ok()
}
