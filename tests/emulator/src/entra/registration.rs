//! What the registration of an application holds beside its secret.

use jiff::Timestamp;

#[derive(Clone, Debug, Default)]
pub(super) struct Registration {
    pub(super) certificates: Vec<Certificate>,
    pub(super) federated: Vec<Federated>,
}

/// An application that signs people in.
#[derive(Clone, Debug)]
pub(super) struct WebApp {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// Empty: every address is accepted.
    pub(super) redirect_uris: Vec<String>,
}

impl WebApp {
    pub(super) fn has_registered(&self, uri: &str) -> bool {
        self.redirect_uris.is_empty() || self.redirect_uris.iter().any(|known| known == uri)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) thumbprint: String,
    pub(super) ends: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Federated {
    pub(super) issuer: String,
    pub(super) subject: String,
}
