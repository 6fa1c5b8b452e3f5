//! A secret, and where it is kept.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use thiserror::Error;

use super::error_class::ErrorClass;
use super::http_client::Cause;

/// A client secret or a signing key, or the place it is kept in.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// A setting holds it.
    Given(SecretString),
    /// AWS Secrets Manager keeps it. It is fetched again for each use, so that a rotated secret is
    /// picked up without a deployment. Its users cache what they make of it.
    SecretsManager {
        client: Client,
        arn: String,
        /// The members that lead to it, where the stored text is JSON with several secrets. None: the
        /// text is the secret.
        path: Vec<String>,
    },
}

/// The secret could not be read. The text names the cause, never the secret.
#[derive(Debug, Error)]
pub enum SecretError {
    #[error("Secrets Manager gave no secret: {code}")]
    Unavailable {
        /// AWS's error code, or `no answer`.
        code: String,
        source: Cause,
    },
    #[error("could not use the secret in Secrets Manager: it {0}")]
    Unusable(#[from] UnusableSecret),
}

/// Why a text is no secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UnusableSecret {
    #[error("is not a string")]
    NotText,
    #[error("is empty")]
    Empty,
    /// Consoles store pairs of keys and values as JSON.
    #[error("is JSON; store the value alone")]
    Json,
    #[error("is no JSON object of texts")]
    NoObject,
    /// The JSON lacks this member, or it is empty.
    #[error("has no value for {0}")]
    NoMember(String),
    #[error("is a reference to a vault, which was not resolved")]
    Reference,
}

/// How references begin that a host or a tool should have replaced by the secret.
const REFERENCES: [&str; 7] = [
    "@Microsoft.KeyVault(",
    "{{resolve:",
    "arn:aws",
    "secretref:",
    "keyvaultref:",
    "op://",
    "vault:",
];

/// AWS's codes for a secret that the function can't have until the deployment is changed.
const UNREADABLE_CODES: [&str; 5] = [
    "AccessDeniedException",
    "DecryptionFailure",
    "InvalidParameterException",
    "InvalidRequestException",
    "ResourceNotFoundException",
];

/// The secret in a text that a person stored: without the newline of an editor or a shell at its
/// end (RFC 6749, appendix A.2: a client secret has none).
pub fn secret_in(text: &str) -> Result<SecretString, UnusableSecret> {
    let secret = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if secret.is_empty() {
        return Err(UnusableSecret::Empty);
    }
    let begins = |beginning: &&str| {
        let start = secret.get(..beginning.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    if REFERENCES.iter().any(begins) {
        return Err(UnusableSecret::Reference);
    }
    if secret.starts_with(['{', '[', '"']) && serde_json::from_str::<Value>(secret).is_ok() {
        return Err(UnusableSecret::Json);
    }
    Ok(SecretString::from(secret))
}

/// Whether a client secret is none, but the id under which Entra lists it. Entra's secrets are no GUIDs.
pub fn is_guid(secret: &SecretString) -> bool {
    uuid::Uuid::try_parse(secret.expose_secret()).is_ok()
}

/// The secret at the end of a path of members, in a text that is JSON with several secrets.
pub fn secret_at(text: &str, path: &[String]) -> Result<SecretString, UnusableSecret> {
    let no_member = || UnusableSecret::NoMember(path.join("."));
    let mut found = Value::String(text.trim_start_matches('\u{feff}').to_owned());
    for name in path {
        // Consoles store pairs of keys and texts, so an object in an object may be a text, too.
        let object = match found {
            Value::String(text) => serde_json::from_str(&text).ok(),
            Value::Object(members) => Some(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        };
        let mut members: Map<String, Value> = object.ok_or(UnusableSecret::NoObject)?;
        found = members.remove(name).ok_or_else(no_member)?;
    }
    let Value::String(secret) = found else { return Err(UnusableSecret::NoObject) };
    match secret_in(&secret) {
        Err(UnusableSecret::Empty) => Err(no_member()),
        secret => secret,
    }
}

impl SecretError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable { code, .. } if !UNREADABLE_CODES.contains(&code.as_str()) => {
                ErrorClass::Table
            }
            Self::Unavailable { .. } | Self::Unusable(_) => ErrorClass::Configuration,
        }
    }
}

impl ClientSecret {
    pub async fn read(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::SecretsManager { client, arn, path } => {
                // Boxed: the SDK's future is large and deep, and every caller's would hold it.
                let answer = Box::pin(client.get_secret_value().secret_id(arn).send()).await;
                let answer = answer.map_err(|error| {
                    let code = error.as_service_error().and_then(|error| error.meta().code());
                    let code = code.unwrap_or("no answer").to_owned();
                    let source = error.into_source().unwrap_or_else(SdkError::into);
                    SecretError::Unavailable { code, source }
                })?;
                let text = answer.secret_string.ok_or(UnusableSecret::NotText)?;
                Ok(if path.is_empty() { secret_in(&text)? } else { secret_at(&text, path)? })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_without_what_surrounds_it() {
        for stored in ["s3cret", "s3cret\n", "s3cret\r\n", " s3cret\t", "\u{feff}s3cret\n"] {
            let read = secret_in(stored).expect("a secret");
            assert_eq!(read.expose_secret(), "s3cret", "{stored:?}");
        }
        for unusual in ["{not json", "a b", "arnold", "~8Q.", "[", "-----BEGIN"] {
            assert_eq!(secret_in(unusual).expect("a secret").expose_secret(), unusual);
        }
    }

    #[test]
    fn the_id_of_a_secret_is_told_from_its_value() {
        for (secret, expected) in [
            ("0f8c2f6e-27a5-4f0e-8d0b-5a1c7b6e9d33", true),
            ("8Q~kLx2vN.0f8c2f6e-27a5-4f0e-8d0b-5a1c", false),
        ] {
            assert_eq!(is_guid(&SecretString::from(secret)), expected, "{secret}");
        }
    }

    #[test]
    fn a_text_that_is_no_secret_is_named_and_not_repeated() {
        for (stored, problem) in [
            ("", UnusableSecret::Empty),
            ("\n", UnusableSecret::Empty),
            (r#"{"ENTRA_CLIENT_SECRET":"s3cret"}"#, UnusableSecret::Json),
            ("{\"a\":\"s3cret\"}\n", UnusableSecret::Json),
            (r#""s3cret""#, UnusableSecret::Json),
            (r#"["s3cret"]"#, UnusableSecret::Json),
            (
                "@Microsoft.KeyVault(SecretUri=https://s3cret.vault.azure.net/secrets/a)",
                UnusableSecret::Reference,
            ),
            ("@microsoft.keyvault(VaultName=s3cret;SecretName=a)", UnusableSecret::Reference),
            ("{{resolve:secretsmanager:s3cret:SecretString:a}}", UnusableSecret::Reference),
            ("arn:aws:secretsmanager:eu-north-1:1:secret:s3cret", UnusableSecret::Reference),
        ] {
            let error = secret_in(stored).expect_err("no secret");
            assert_eq!(error, problem, "{stored}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn one_secret_among_several_is_read_by_its_name() {
        const STORED: &str =
            "\u{feff}{\"A\": \" s3cret\\n\", \"EMPTY\": \"\", \"NESTED\": \"{}\"}\n";
        let at = |text: &str, path: &str| {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            secret_at(text, &path)
        };
        for (text, path) in [
            (STORED, "A"),
            (r#"{"A":{"B":"s3cret"},"C":""}"#, "A.B"),
            (r#"{"A":"{\"B\": \"s3cret\"}"}"#, "A.B"),
        ] {
            let read = at(text, path).expect("a secret");
            assert_eq!(read.expose_secret(), "s3cret", "{text} {path}");
        }
        let missing = |path: &str| UnusableSecret::NoMember(path.to_owned());
        for (text, path, problem) in [
            (STORED, "B", missing("B")),
            (STORED, "EMPTY", missing("EMPTY")),
            (STORED, "NESTED", UnusableSecret::Json),
            (STORED, "A.B", UnusableSecret::NoObject),
            (STORED, "NESTED.B", missing("NESTED.B")),
            ("s3cret", "A", UnusableSecret::NoObject),
            ("", "A", UnusableSecret::NoObject),
            (r#"["s3cret"]"#, "A", UnusableSecret::NoObject),
            (r#"{"A":{"B":"s3cret"}}"#, "A", UnusableSecret::NoObject),
            (r#"{"A":["s3cret"]}"#, "A.B", UnusableSecret::NoObject),
            (r#"{"A":{"B":7}}"#, "A.B", UnusableSecret::NoObject),
        ] {
            let error = at(text, path).expect_err("no secret");
            assert_eq!(error, problem, "{text} {path}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn only_what_a_deployment_mends_is_a_configuration_fault() {
        for (code, class) in [
            ("AccessDeniedException", ErrorClass::Configuration),
            ("ResourceNotFoundException", ErrorClass::Configuration),
            ("DecryptionFailure", ErrorClass::Configuration),
            ("InternalServiceError", ErrorClass::Table),
            ("ThrottlingException", ErrorClass::Table),
            ("no answer", ErrorClass::Table),
        ] {
            let error = SecretError::Unavailable { code: code.to_owned(), source: code.into() };
            assert_eq!(error.class(), class, "{code}");
        }
        assert_eq!(SecretError::Unusable(UnusableSecret::Json).class(), ErrorClass::Configuration);
    }
}
