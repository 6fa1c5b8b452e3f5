//! The body of a request, read within limits: on this host, every request reaches the process before
//! a handler can check who sent it.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use http::StatusCode;
use http_body_util::LengthLimitError;
use shared::host::http::Problem;
use tokio::time::timeout;

/// In bytes. The landing page and the webhook are public, and need far less.
pub(crate) const LARGEST_PUBLIC: usize = 64 * 1024;

/// In bytes, for functions that the host protects with a key.
pub(crate) const LARGEST_PRIVATE: usize = 1024 * 1024;

/// How long a body may take to arrive. The webhook has to answer within ten seconds of the start.
const ARRIVAL_TIME: Duration = Duration::from_secs(5);

pub(crate) async fn read(body: Body, largest: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("a body has at most {largest} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    };
    // `Content-Length`, where the caller sent it.
    if body.size_hint().lower() > largest as u64 {
        return Err(too_large());
    }
    match timeout(ARRIVAL_TIME, to_bytes(body, largest)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_over_limit(&error) => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "body_incomplete",
            "the connection ended before the body did",
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            format!("a body arrives within {} seconds", ARRIVAL_TIME.as_secs()),
        )),
    }
}

fn is_over_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    fn chunks(chunks: impl IntoIterator<Item = Result<&'static [u8], std::io::Error>>) -> Body {
        Body::from_stream(stream::iter(chunks.into_iter().collect::<Vec<_>>()))
    }

    async fn refusal(body: Body) -> (u16, &'static str) {
        let problem = read(body, 8).await.expect_err("the body is refused");
        (problem.status.as_u16(), problem.code)
    }

    #[tokio::test]
    async fn a_body_within_the_limit_is_read_whole() {
        let body = chunks([Ok(b"1234".as_slice()), Ok(b"5678".as_slice())]);
        assert_eq!(read(body, 8).await.expect("eight bytes"), "12345678");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_whether_its_length_is_declared_or_not() {
        assert_eq!(refusal(Body::from("123456789")).await, (413, "body_too_large"));
        let undeclared = chunks([Ok(b"1234".as_slice()), Ok(b"56789".as_slice())]);
        assert_eq!(refusal(undeclared).await, (413, "body_too_large"));
    }

    #[tokio::test]
    async fn a_body_that_is_cut_short_is_refused() {
        let cut = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        assert_eq!(
            refusal(chunks([Ok(b"1".as_slice()), Err(cut)])).await,
            (400, "body_incomplete")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_refused_after_its_time() {
        let begun = tokio::time::Instant::now();
        let never = Body::from_stream(stream::pending::<Result<&'static [u8], std::io::Error>>());
        assert_eq!(refusal(never).await, (408, "body_too_slow"));
        assert_eq!(begun.elapsed(), ARRIVAL_TIME);
    }
}
