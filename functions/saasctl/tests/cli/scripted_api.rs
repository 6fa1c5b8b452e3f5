//! An API whose answers a test writes.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use http::header::USER_AGENT;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;

/// What was asked for, and by which program.
type Asked = Arc<Mutex<Vec<(String, String)>>>;
type Answering = dyn Fn(String) -> BoxFuture + Send + Sync;
type BoxFuture = std::pin::Pin<Box<dyn Future<Output = (StatusCode, Value)> + Send>>;

/// A running API. It answers by the path and query of a request.
pub(crate) struct ScriptedApi {
    pub(crate) url: String,
    asked: Asked,
}

impl ScriptedApi {
    pub(crate) async fn start<F>(
        answer: impl Fn(String) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = (StatusCode, Value)> + Send + 'static,
    {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Asked::default();
        let answering: Arc<Answering> = Arc::new(move |path| Box::pin(answer(path)));
        let router = Router::new().fallback(take).with_state((asked.clone(), answering));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked }
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(
    State((asked, answering)): State<(Asked, Arc<Answering>)>,
    uri: Uri,
    headers: HeaderMap,
) -> (StatusCode, String) {
    let path = uri.to_string();
    let agent = headers[USER_AGENT].to_str().expect("text").to_owned();
    asked.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), agent));
    let (status, body) = answering(path).await;
    (status, body.to_string())
}
