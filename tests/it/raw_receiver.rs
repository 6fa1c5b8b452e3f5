//! A receiver of events that answers with given bytes, as no HTTP library would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use local::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::delivery_env::KEY;
use crate::test_env::TestEnv;

/// What the receiver does with a connection after its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    Closes,
    HoldsItOpen,
}

/// A running receiver. Stops when it is dropped.
pub(crate) struct RawReceiver {
    url: String,
    requests: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl RawReceiver {
    /// Starts a receiver that answers every request with these bytes.
    pub(crate) async fn start(answer: Vec<u8>, then: Then) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}/events", listener.local_addr().expect("an address"));
        let requests = Arc::new(AtomicUsize::new(0));
        let (answer, counted) = (Arc::new(answer), requests.clone());
        let serving = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (answer, counted) = (answer.clone(), counted.clone());
                tokio::spawn(serve(connection, answer, counted, then));
            }
        });
        Self { url, requests, serving }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many complete requests have arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// A system that delivers to this receiver.
    pub(crate) async fn env(&self) -> TestEnv {
        self.env_with(Options::default()).await
    }

    /// The same with more settings.
    pub(crate) async fn env_with(&self, options: Options) -> TestEnv {
        let options = options.with("DELIVERY_ENDPOINT", &self.url);
        TestEnv::with(options.with("DELIVERY_SIGNING_KEY", KEY)).await
    }
}

impl Drop for RawReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut connection: TcpStream,
    answer: Arc<Vec<u8>>,
    requests: Arc<AtomicUsize>,
    then: Then,
) {
    if read_request(&mut connection).await.is_none() {
        return;
    }
    requests.fetch_add(1, Ordering::SeqCst);
    // The sender may close the connection before it has read everything.
    let _ = connection.write_all(&answer).await;
    match then {
        Then::Closes => {}
        // Ends when the sender closes it.
        Then::HoldsItOpen => while connection.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {},
    }
}

/// Reads a whole request; `None` if the connection ends before.
async fn read_request(connection: &mut TcpStream) -> Option<()> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
            });
            if body.len() >= length? {
                return Some(());
            }
        }
        let mut chunk = [0; 8192];
        let length = connection.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        read.extend_from_slice(&chunk[..length]);
    }
}
