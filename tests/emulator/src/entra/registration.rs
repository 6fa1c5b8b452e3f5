//! What the registration of an application holds beside its secret.

use jiff::Timestamp;

#[derive(Clone, Debug, Default)]
pub(super) struct Registration {
    pub(super) certificates: Vec<Certificate>,
    pub(super) federated: Vec<Federated>,
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
