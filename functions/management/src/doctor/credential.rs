//! What the app proves itself with, and when that ends.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use shared::config::Microsoft;
use shared::host::secret::{SecretError, is_guid};
use shared::microsoft::entra::{Certificate, Credential, EndingCredential};

use super::finding::Finding;

const SECRETS: &str = "secrets";
const OTHER_SECRETS: &str = "other-secrets";
const CREDENTIAL: &str = "credential";

const PLACE: &str = "Entra > App registrations > the app > Certificates & secrets";

pub(super) async fn secrets(microsoft: &Microsoft) -> Finding {
    match microsoft.credential() {
        Credential::Secret(secret) => match secret.read().await {
            Ok(secret) if is_guid(&secret) => Finding::failed(
                SECRETS,
                "ENTRA_CLIENT_SECRET is a GUID. That is a secret's id: store the value, which Entra \
                 shows once.",
                PLACE,
            ),
            Ok(_) => Finding::ok(SECRETS, "ENTRA_CLIENT_SECRET can be read."),
            Err(error) => unread("ENTRA_CLIENT_SECRET", &error),
        },
        Credential::Certificate(pem) => match pem.read().await {
            Ok(pem) => match Certificate::parse(pem.expose_secret()) {
                Ok(_) => Finding::ok(SECRETS, "ENTRA_CLIENT_CERTIFICATE can be read."),
                Err(error) => Finding::failed(
                    SECRETS,
                    format!(
                        "ENTRA_CLIENT_CERTIFICATE {error}. Store the key and the certificate as PEM."
                    ),
                    "Secrets Manager > the output SecretsArn",
                ),
            },
            Err(error) => unread("ENTRA_CLIENT_CERTIFICATE", &error),
        },
        Credential::AwsIdentity(_) | Credential::AzureIdentity(_) => {
            Finding::ok(SECRETS, "The app proves itself without a secret.")
        }
    }
}

fn unread(name: &str, error: &SecretError) -> Finding {
    match error {
        SecretError::Unusable(_) => Finding::failed(
            SECRETS,
            format!("{name}: {error}. Store the value there."),
            "Secrets Manager > the output SecretsArn",
        ),
        SecretError::Unavailable { .. } => Finding::failed(
            SECRETS,
            format!(
                "{name}: {error}. Compare the ARN with the secret's, and the key that encrypts it with \
                 the parameter."
            ),
            "Parameters SecretsArn, EntraClientSecretArn and EntraClientSecretKmsKeyArn",
        ),
    }
}

/// Other functions read them, and this one's role must not.
pub(super) fn other_secrets() -> Finding {
    Finding::unknown(
        OTHER_SECRETS,
        "The landing page's credential, LANDING_COOKIE_KEY, DELIVERY_SIGNING_KEY and \
         DECISION_SIGNING_KEY can't be checked from here. The function that reads one logs an ERROR if \
         it can't.",
    )
}

/// No answer of Entra's says when a client secret ends (F-AUTH-16).
pub(super) async fn end(credential: Option<&EndingCredential>, now: Timestamp) -> Finding {
    let Some(credential) = credential else {
        return Finding::ok(CREDENTIAL, "The app's credential does not expire.");
    };
    let name = credential.name;
    let end = match credential.end().await {
        Ok(Some(end)) => end,
        Ok(None) => {
            let says = format!(
                "The expiry date of {name} isn't known here. Set it in {name}_EXPIRES; Entra shows it \
                 under the app's Certificates & secrets."
            );
            return Finding::unknown(CREDENTIAL, says);
        }
        Err(error) => {
            return Finding::unknown(
                CREDENTIAL,
                format!("The expiry date of {name} can't be read: {error}."),
            );
        }
    };
    let (at, days) = (end.at, end.days_left(now));
    if now >= at {
        let says =
            format!("{name} expired at {at}. Make a new one, store it, and change the date.");
        Finding::failed(CREDENTIAL, says, PLACE)
    } else if end.is_near(now) {
        let says = format!(
            "{name} expires at {at}, in {days} days. Make a new one, store it, and change the date."
        );
        Finding::warning(CREDENTIAL, says, PLACE)
    } else {
        Finding::ok(CREDENTIAL, format!("{name} expires at {at}, in {days} days."))
    }
}
