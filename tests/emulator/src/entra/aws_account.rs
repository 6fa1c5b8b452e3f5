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
    /// What roles trust tokens of Entra's: the subject of the token.
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
