//! The publisher's account at AWS.

/// What the operator of the account has done.
#[derive(Clone, Debug)]
pub struct AwsAccount {
    /// Whether the account issues tokens at all (F-CRED-6).
    pub issues_tokens: bool,
    /// Whether the roles' policies allow what the functions ask for.
    pub allows: bool,
    /// An error that every call meets, such as `Throttling`.
    pub fails_with: Option<(u16, String)>,
    /// The issuer of the account's tokens.
    pub issuer: String,
    /// The audience that the account's identity provider for Entra names.
    pub trusted_audience: String,
    /// Whose tokens of Entra's a role of the account trusts, by their subjects.
    pub trusted_subjects: Vec<String>,
    pub(super) calls: u64,
}

impl Default for AwsAccount {
    fn default() -> Self {
        Self {
            issues_tokens: true,
            allows: true,
            fails_with: None,
            issuer: "https://00000000-0000-4000-8000-000000000001.tokens.sts.global.api.aws"
                .to_owned(),
            trusted_audience: "api://c1a7e5d2-8b40-4f6e-9d13-7a2c6e0f4b58".to_owned(),
            trusted_subjects: Vec::new(),
            calls: 0,
        }
    }
}

impl AwsAccount {
    /// How many calls of the token service there were.
    pub fn calls(&self) -> u64 {
        self.calls
    }
}
