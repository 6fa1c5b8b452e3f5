//! An app registration of the publisher's that people sign in to (F-LP-6, F-AUTH-9).

use std::sync::Arc;

use uuid::Uuid;

use super::credential::Credential;
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;

/// The shortest text that a key may be derived from, in bytes. A password that a person made up is shorter.
pub const SHORTEST_COOKIE_KEY: usize = 32;

pub struct WebApp {
    /// Entra's address, for us and for the visitor's browser; no trailing slash.
    pub authority: String,
    /// The directory whose people alone may sign in; `None`: any.
    pub tenant_id: Option<Uuid>,
    pub client_id: Uuid,
    pub credential: Credential,
    /// What the cookies' key is derived from; `None`: from the app's secret.
    pub cookie_key: Option<ClientSecret>,
    pub transport: Arc<dyn Transport>,
}

/// Whether each of these words is long enough for a cookies' key.
pub fn are_cookie_keys(keys: &str) -> bool {
    keys.split_whitespace().all(|key| key.len() >= SHORTEST_COOKIE_KEY)
}
