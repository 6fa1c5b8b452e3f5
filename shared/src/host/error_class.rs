//! The class of an error, by what an operator does about it. It is the field `class` of the log
//! line, and tells the problems of the API apart.

/// The class of an error that is not the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// A setting, an address or a permission is wrong. Nothing changes before the operator changes
    /// it (F-ERR-5).
    Configuration,
    /// Entra or Microsoft refuses what the functions identify themselves with.
    Credential(CredentialFault),
    /// Microsoft or Entra is down, throttles, lags behind itself, or sends an answer that can't be
    /// used. It passes.
    MicrosoftUnavailable,
    /// The table, or Secrets Manager beside it, refuses or does not answer; or an item can't be
    /// read.
    Table,
    /// The publisher's product or its event bus does not accept or answer.
    Product,
    /// Microsoft sends what this version does not know.
    UnknownWord,
    /// Microsoft refuses this one request, or does not confirm this one call. Its support asks for
    /// the ids in the log line.
    Refused,
    /// The program itself.
    Program,
}

/// What is wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialFault {
    /// Its life is over.
    Expired,
    /// It belongs to another app, or to none.
    Wrong,
    /// Entra does not accept it, and doesn't say more.
    Unaccepted,
    /// The app registration has no such certificate, or its life is over.
    Certificate,
    /// Entra's clock says that the assertion is not valid yet, or not any more.
    NotInTime,
    /// The app registration does not trust the identity that the function has.
    Untrusted,
    /// Entra accepts it, and Microsoft's API does not accept the app (F-AUTH-8).
    NotGranted,
}

impl ErrorClass {
    /// Every class once.
    pub const ALL: [Self; 8] = [
        Self::Configuration,
        Self::Credential(CredentialFault::Expired),
        Self::MicrosoftUnavailable,
        Self::Table,
        Self::Product,
        Self::UnknownWord,
        Self::Refused,
        Self::Program,
    ];

    /// The stable word for logs and problems.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Credential(_) => "credential",
            Self::MicrosoftUnavailable => "microsoft_unavailable",
            Self::Table => "table",
            Self::Product => "product",
            Self::UnknownWord => "unknown_word",
            Self::Refused => "refused",
            Self::Program => "program",
        }
    }

    /// Whether every such call fails until the operator does something.
    pub const fn needs_operator(self) -> bool {
        match self {
            Self::Configuration | Self::Credential(_) => true,
            Self::MicrosoftUnavailable
            | Self::Table
            | Self::Product
            | Self::UnknownWord
            | Self::Refused
            | Self::Program => false,
        }
    }

    /// The metric that counts errors which [need the operator](Self::needs_operator). It is counted
    /// once for each, where the call or the start fails.
    pub const fn metric(self) -> Option<&'static str> {
        if self.needs_operator() { Some(self.name()) } else { None }
    }
}

impl CredentialFault {
    /// The fault in a few words, for people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Expired => "the secret has expired",
            Self::Wrong => "the secret is wrong",
            Self::Unaccepted => "Entra does not accept the credential",
            Self::Certificate => "the certificate is not registered, or has ended",
            Self::NotInTime => "this machine's clock and Entra's differ",
            Self::Untrusted => "the app registration has no federated credential that matches",
            Self::NotGranted => "the app has no access",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_class_has_a_word_of_its_own() {
        let words: BTreeSet<_> = ErrorClass::ALL.into_iter().map(ErrorClass::name).collect();
        assert_eq!(words.len(), ErrorClass::ALL.len());
        for word in words {
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word}");
        }
    }

    #[test]
    fn only_what_an_operator_must_mend_is_counted_and_a_credential_apart() {
        let counted = ErrorClass::ALL.into_iter().filter_map(ErrorClass::metric);
        assert_eq!(counted.collect::<Vec<_>>(), ["configuration", "credential"]);
    }
}
