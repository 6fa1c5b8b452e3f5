//! The check of an assertion against the registration of an application.

use super::directory::Entra;
use super::jwt;
use super::keys;
use super::registration::{Certificate, Federated, Registration};
use super::token_endpoint::Form;
use crate::settings::TokenVersion;
use crate::wire::Reply;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The audience of a federated credential.
pub(super) const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// Why an assertion is refused: Entra's word, number and text.
type Refusal = (&'static str, u32, String);

fn refused(number: u32, text: impl Into<String>) -> Refusal {
    ("invalid_client", number, text.into())
}

impl Entra {
    /// A new certificate of the publisher's with its key, as PEM, and when it ends: after this time.
    pub fn client_certificate(&self, lifetime: SignedDuration) -> (String, Timestamp) {
        let key = keys::client();
        let section = |name: &str, der: &[u8]| {
            format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", STANDARD.encode(der))
        };
        let ends = self.now + lifetime;
        let pem = section("CERTIFICATE", &key.certificate(ends));
        (pem + &section("PRIVATE KEY", key.pkcs8()), ends)
    }

    /// The certificate of a key that the publisher doesn't have, as PEM.
    pub fn foreign_certificate(&self) -> String {
        let der = keys::foreign().certificate(self.now + SignedDuration::from_hours(24));
        let text = STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    /// Adds the certificate of such a PEM text to an application's registration.
    ///
    /// # Panics
    /// If the text holds no certificate.
    pub fn register_certificate(&mut self, client_id: &str, pem: &str, ends: Timestamp) {
        let encoded = pem.split("-----BEGIN CERTIFICATE-----").nth(1);
        let encoded = encoded.and_then(|rest| rest.split("-----END").next());
        let der = encoded.and_then(|text| STANDARD.decode(text.replace('\n', "")).ok());
        let thumbprint = Sha256::digest(der.expect("a certificate"));
        let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint);
        self.registration(client_id).certificates.push(Certificate { thumbprint, ends });
    }

    /// Adds a federated credential to an application's registration.
    pub fn trust(&mut self, client_id: &str, issuer: &str, subject: &str) {
        let federated = Federated { issuer: issuer.to_owned(), subject: subject.to_owned() };
        self.registration(client_id).federated.push(federated);
    }

    /// All assertions that were sent so far.
    pub fn assertions(&self) -> &[String] {
        &self.assertions
    }

    fn registration(&mut self, client_id: &str) -> &mut Registration {
        self.registrations.entry(client_id.to_owned()).or_default()
    }

    /// Checks an assertion in the place of a client secret (F-CRED-1, F-CRED-4, F-CRED-6).
    pub(super) fn check_assertion(
        &mut self,
        tenant: &str,
        form: &Form,
        client_id: &str,
    ) -> Result<(), Reply> {
        self.assertions.extend(form.get("client_assertion").cloned());
        let checked = self.assertion_of(tenant, form, client_id);
        checked.map_err(|(error, number, text)| {
            let status = if error == "invalid_request" { 400 } else { 401 };
            self.failure(status, error, number, &text)
        })
    }

    fn assertion_of(&self, tenant: &str, form: &Form, client_id: &str) -> Result<(), Refusal> {
        let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if text("client_assertion_type") != JWT_BEARER || form.contains_key("client_secret") {
            let text = "The assertion's type is wrong, or there is a secret beside it.";
            return Err(("invalid_request", 90_0144, text.to_owned()));
        }
        let token = jwt::parse(text("client_assertion"))
            .ok_or_else(|| refused(50_027, "The assertion is not a JWT."))?;
        let claim = |name: &str| token.claims[name].as_str().unwrap_or_default();
        let seconds = |name: &str| token.claims[name].as_i64();
        let now = self.now.as_second();
        let is_current = seconds("exp").is_some_and(|expires| now < expires)
            && seconds("nbf").is_none_or(|begins| begins <= now);
        if !is_current {
            return Err(refused(700_024, "Client assertion is not within its valid time range."));
        }
        let nothing = Registration::default();
        let registration = self.registrations.get(client_id).unwrap_or(&nothing);
        if let Some(thumbprint) = token.header.get("x5t#S256").and_then(Value::as_str) {
            let known = registration.certificates.iter().find(|one| one.thumbprint == thumbprint);
            let is_signed = token.header["alg"] == "PS256"
                && keys::client().verifies_pss(token.signed.as_bytes(), &token.signature);
            if !is_signed || known.is_none_or(|certificate| certificate.ends <= self.now) {
                let text = "Client assertion failed signature validation: the certificate is not \
                            registered, or expired.";
                return Err(refused(700_027, text));
            }
            if [claim("iss"), claim("sub")] != [client_id, client_id] {
                return Err(refused(700_021, "The assertion does not name the client."));
            }
            let audience = format!("{}/{tenant}/oauth2/v2.0/token", self.authority);
            if claim("aud") != audience {
                return Err(refused(700_023, "Client assertion audience claim does not match."));
            }
            return Ok(());
        }
        // As Entra names what differs: the issuer first (F-CRED-11).
        let of_issuer: Vec<_> =
            registration.federated.iter().filter(|one| one.issuer == claim("iss")).collect();
        if of_issuer.is_empty() {
            // The older form, with another word and status.
            let text = "No matching federated identity record found for presented assertion.";
            return Err(("invalid_request", 70_021, text.to_owned()));
        }
        if claim("aud") != TOKEN_EXCHANGE {
            return Err(refused(700_212, "No matching federated identity record: audience."));
        }
        if !of_issuer.iter().any(|one| one.subject == claim("sub")) {
            return Err(refused(700_213, "No matching federated identity record: subject."));
        }
        let key =
            if claim("iss") == self.issuer(TokenVersion::V2) { self.key() } else { keys::aws() };
        if token.header["alg"] == "RS256" && key.verifies(token.signed.as_bytes(), &token.signature)
        {
            Ok(())
        } else {
            Err(refused(50_013, "Assertion failed signature validation."))
        }
    }
}
