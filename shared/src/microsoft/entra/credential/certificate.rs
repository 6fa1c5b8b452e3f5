//! A certificate in the place of a client secret (F-CRED-4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use secrecy::SecretString;
use serde_json::json;
use thiserror::Error;
use x509_cert::Certificate as X509;
use x509_cert::der::Decode as _;

use super::identity::Identity;

/// How long an assertion is valid. Microsoft asks for five to ten minutes (F-CRED-4).
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// How far our clock may be ahead of Entra's.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// Why a text is no certificate with its key. It says nothing of the text.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CertificateError {
    #[error("has no PEM section `CERTIFICATE`")]
    NoCertificate,
    #[error("has no PEM section `PRIVATE KEY` (PKCS#8, not encrypted)")]
    NoKey,
    #[error("has a key that is no RSA key of 2048 to 4096 bits")]
    UnusableKey,
    #[error("can't be read as an X.509 certificate")]
    UnreadableCertificate,
    #[error("belongs to another key than the one beside it")]
    OtherKey,
    #[error("could not sign")]
    Unsigned,
}

/// A certificate and its key.
pub struct Certificate {
    key: RsaKeyPair,
    /// SHA-256 of the certificate: Entra looks it up by this.
    thumbprint: String,
    ends: Timestamp,
}

impl Certificate {
    /// Reads the sections of a PEM text, in any order. Of several certificates, the key's own comes
    /// first, and those of its issuers follow.
    pub fn parse(pem: &str) -> Result<Self, CertificateError> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| CertificateError::NoCertificate)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| CertificateError::NoKey)?;
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der())
            .map_err(|_| CertificateError::UnusableKey)?;
        let read =
            X509::from_der(&certificate).map_err(|_| CertificateError::UnreadableCertificate)?;
        let read = read.tbs_certificate();
        let public = read.subject_public_key_info().subject_public_key.raw_bytes();
        if public != key.public_key().as_ref() {
            return Err(CertificateError::OtherKey);
        }
        let ends = read.validity().not_after.to_unix_duration();
        let ends = i64::try_from(ends.as_secs()).ok();
        let ends = ends.and_then(|seconds| Timestamp::from_second(seconds).ok());
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &certificate)),
            ends: ends.ok_or(CertificateError::UnreadableCertificate)?,
        })
    }

    /// When the certificate ends. Entra refuses it from then on.
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// An assertion that says that its sender is this client.
    pub(super) fn assertion(&self, client: Identity<'_>) -> Result<SecretString, CertificateError> {
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let now = client.clock.now();
        let issued = now - CLOCK_SKEW;
        let claims = json!({
            "aud": client.token_endpoint,
            "iss": client.client_id,
            "sub": client.client_id,
            "jti": client.clock.new_id(),
            "nbf": issued.as_second(),
            "iat": issued.as_second(),
            "exp": (now + LIFETIME).as_second(),
        });
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let mut signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| CertificateError::Unsigned)?;
        signed.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut signed);
        Ok(SecretString::from(signed))
    }
}
