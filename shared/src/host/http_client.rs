//! The way out of the process: one HTTP client and one TLS stack for Microsoft, AWS and the
//! publisher's product.
//!
//! It uses `ring` and compiled-in roots, which are ready at once. Other providers and trust stores
//! spend a cold function's first third of a second on entropy and on parsing files.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// A peer that accepts no connection within this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The largest body we read. Real pages of List Subscriptions measured 80 KB for 89 entries.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Build it once: clones share its connections.
pub fn client() -> reqwest::Client {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect could carry a bearer token elsewhere (F-GEN-8); the API doesn't use them.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("saas-fulfillment-functions/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("a preconfigured TLS backend can't fail to load")
}

/// The cause of a transport error.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum SendError {
    #[error("not connected: {}", root(.0.as_ref()))]
    NotConnected(#[source] Cause),
    #[error("the request can't be built: {0}")]
    Unbuilt(#[source] Cause),
    /// The [deadline](super::deadline) passed before the request was sent.
    #[error("not sent: no time was left")]
    DeadlinePassed,
    #[error("no answer: {}", root(.0.as_ref()))]
    NoAnswer(#[source] Cause),
    #[error("the answer is too large")]
    TooLarge,
}

impl SendError {
    /// Whether the other side may have received the request and carried it out.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::TooLarge => true,
            Self::NotConnected(_) | Self::Unbuilt(_) | Self::DeadlinePassed => false,
        }
    }
}

/// The innermost cause, which says most in a log line.
fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}

/// Sends requests. Everything that leaves the process passes here.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request and reads the whole answer within `timeout`.
    ///
    /// MUST return an error that [`may have arrived`](SendError::may_have_arrived) unless the
    /// request can't have been carried out.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError>;

    /// Sends a request and reads the answer's status and headers within `timeout`, for a peer whose
    /// body decides nothing. The body may be slow, cut off, or of any size.
    ///
    /// MUST be passed on by a transport that wraps another one. By itself it reads the body, too.
    async fn send_for_head(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<UnreadBody>, SendError> {
        Ok(self.send(request, timeout).await?.map(UnreadBody::from))
    }
}

/// The body of an answer of which only the head was read. If it is dropped unread, the connection closes,
/// unless the body has arrived.
pub struct UnreadBody(Unread);

enum Unread {
    Arriving(reqwest::Response),
    Whole(Bytes),
}

impl UnreadBody {
    /// Reads the first `most` bytes, or as many of them as arrive within `timeout`. A body that hangs or breaks
    /// off is only shorter.
    pub async fn beginning(self, most: usize, timeout: Duration) -> Bytes {
        let mut response = match self.0 {
            Unread::Arriving(response) => response,
            Unread::Whole(body) => return body.slice(..body.len().min(most)),
        };
        let mut read = BytesMut::new();
        let reading = async {
            while read.len() < most
                && let Ok(Some(chunk)) = response.chunk().await
            {
                read.extend_from_slice(&chunk);
            }
        };
        // What has arrived by then stays in `read`.
        let _ = tokio::time::timeout(timeout, reading).await;
        read.truncate(most);
        read.freeze()
    }
}

impl From<Bytes> for UnreadBody {
    fn from(body: Bytes) -> Self {
        Self(Unread::Whole(body))
    }
}

/// Shows nothing of the answer.
impl fmt::Debug for UnreadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnreadBody")
    }
}

#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl Default for HttpClient {
    fn default() -> Self {
        Self(client())
    }
}

impl HttpClient {
    /// The answer, before its body is read. The timeout covers the body as well.
    async fn head(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<reqwest::Response, SendError> {
        let mut request = reqwest::Request::try_from(request)?;
        *request.timeout_mut() = Some(timeout);
        Ok(self.0.execute(request).await?)
    }
}

#[async_trait]
impl Transport for HttpClient {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        let mut response = self.head(request, timeout).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(SendError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(answer(&mut response, body.freeze()))
    }

    async fn send_for_head(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<UnreadBody>, SendError> {
        let mut response = self.head(request, timeout).await?;
        Ok(answer(&mut response, ()).map(|()| UnreadBody(Unread::Arriving(response))))
    }
}

/// The response's status and headers, with this body.
fn answer<T>(response: &mut reqwest::Response, body: T) -> http::Response<T> {
    let mut answer = http::Response::new(body);
    *answer.status_mut() = response.status();
    std::mem::swap(answer.headers_mut(), response.headers_mut());
    answer
}

/// A header value that debug output hides.
pub fn secret_header(value: &str) -> Result<HeaderValue, SendError> {
    let mut value =
        HeaderValue::from_str(value).map_err(|error| SendError::Unbuilt(error.into()))?;
    value.set_sensitive(true);
    Ok(value)
}

impl From<http::Error> for SendError {
    fn from(error: http::Error) -> Self {
        Self::Unbuilt(error.into())
    }
}

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_builder() {
            Self::Unbuilt(error.into())
        } else if error.is_connect() {
            Self::NotConnected(error.into())
        } else {
            Self::NoAnswer(error.into())
        }
    }
}

/// The same transport, for the AWS SDK.
pub fn for_aws(transport: Arc<dyn Transport>) -> SharedHttpClient {
    http_client_fn(move |settings, _| {
        SharedHttpConnector::new(Connector {
            transport: transport.clone(),
            timeout: settings.read_timeout().unwrap_or(AWS_TIMEOUT),
        })
    })
}

/// Longer than the SDK's own attempt timeouts, which end a request earlier.
const AWS_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Connector {
    transport: Arc<dyn Transport>,
    timeout: Duration,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.transport.clone();
        let timeout = self.timeout;
        HttpConnectorFuture::new(async move {
            let request = outgoing(request).map_err(ConnectorError::user)?;
            let answer = transport.send(request, timeout).await.map_err(|error| match error {
                SendError::TooLarge => ConnectorError::other(error.into(), None),
                SendError::NotConnected(_)
                | SendError::Unbuilt(_)
                | SendError::DeadlinePassed
                | SendError::NoAnswer(_) => ConnectorError::io(error.into()),
            })?;
            HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The SDK's request. Our calls have their whole body in memory.
fn outgoing(request: HttpRequest) -> Result<http::Request<Bytes>, Cause> {
    let request = request.try_into_http1x()?;
    let body = Bytes::copy_from_slice(request.body().bytes().ok_or("a streaming body")?);
    Ok(request.map(|_| body))
}
