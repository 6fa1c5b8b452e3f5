//! Logs: JSON lines, one vocabulary of fields, and the ids Microsoft's support asks for (F-GEN-7).
//!
//! Never a token, a person's data or a raw body.

use std::future::Future;

use tracing::{Instrument, Span, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

tokio::task_local! {
    static CORRELATION: Uuid;
}

/// Writes JSON lines to standard output; `level` as in `info` or `info,webhook=debug`. A second
/// call leaves the first one's subscriber in place.
pub fn start(level: &str) {
    let _ = tracing::subscriber::set_global_default(lines(level, std::io::stdout));
}

/// What [`start`] starts, writing anywhere.
pub fn lines<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::new(level))
        .with_writer(writer)
        .finish()
}

/// Runs `work` as one piece: every line it logs is within `span`, and every call it makes carries
/// the same correlation id (F-GEN-5).
pub async fn within<F: Future>(correlation_id: Uuid, span: Span, work: F) -> F::Output {
    CORRELATION.scope(correlation_id, work).instrument(span).await
}

/// The correlation id of the piece of work that runs now.
pub fn correlation_id() -> Option<Uuid> {
    CORRELATION.try_with(|id| *id).ok()
}
