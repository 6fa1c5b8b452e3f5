//! The identity of the publisher's Azure Functions app.

/// The user-assigned managed identity of the app.
#[derive(Clone, Debug)]
pub struct ManagedIdentity {
    pub client_id: String,
    /// The object id: the subject of its tokens (F-CRED-12).
    pub principal_id: String,
    /// What the platform puts into `IDENTITY_HEADER`.
    pub header: String,
    /// The status that every request meets; `None`: they get a token.
    pub fails_with: Option<u16>,
}

impl Default for ManagedIdentity {
    fn default() -> Self {
        Self {
            client_id: "7d2f4c1e-9a3b-4e58-b6c0-1f8e2d5a7b94".to_owned(),
            principal_id: "c5e81a60-3f7d-4b29-8e14-6a0d9f2c7b35".to_owned(),
            header: "stand-in-identity-header".to_owned(),
            fails_with: None,
        }
    }
}
