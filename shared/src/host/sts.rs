//! AWS's Security Token Service: four of its calls, in its Query protocol. Its SDK would make each
//! function larger and its start slower.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HOST};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use url::{Url, form_urlencoded};

use super::aws_signature::{SigningError, sign_request};
use super::error_class::ErrorClass;
use super::http_client::{SendError, Transport};

/// How long credentials of a role are valid: the shortest time that AWS accepts.
const ROLE_SECONDS: &str = "900";

/// How long a token of ours is valid. It is used once, at once.
const TOKEN_SECONDS: &str = "300";

/// Why AWS gave nothing. The text names the cause, and holds no secret.
#[derive(Debug, Error)]
pub enum StsError {
    /// AWS refuses the function: the deployment or the account has to be changed.
    #[error("AWS refused {action}: {status} {code}{}", advice(code))]
    Refused { action: &'static str, status: u16, code: String },
    #[error("AWS is unavailable for {action}: {status} {code}")]
    Unavailable { action: &'static str, status: u16, code: String },
    #[error("AWS is unavailable for {action}: {source}")]
    Unreachable { action: &'static str, source: SendError },
    #[error("AWS's answer to {0} can't be read")]
    Unreadable(&'static str),
    /// The function has no credentials to sign with.
    #[error("AWS was not asked: {0}")]
    NoCredentials(String),
    #[error("{action} could not be signed: {source}")]
    Unsigned { action: &'static str, source: SigningError },
}

/// What the operator has to do about AWS's code.
fn advice(code: &str) -> &'static str {
    // AWS's documents have the codes both with and without the suffix (F-CRED-8).
    match code.trim_end_matches("Exception") {
        "OutboundWebIdentityFederationDisabled" => {
            "; run `aws iam enable-outbound-web-identity-federation` once in this account"
        }
        "AccessDenied" => "; check the role's trust policy and permissions",
        _ => "",
    }
}

impl StsError {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused { .. } | Self::Unsigned { .. } | Self::NoCredentials(_) => {
                ErrorClass::Configuration
            }
            // As for Secrets Manager.
            Self::Unavailable { .. } | Self::Unreachable { .. } | Self::Unreadable(_) => {
                ErrorClass::Table
            }
        }
    }
}

/// The service in one region. The global one issues no tokens (F-CRED-7). Each call takes `timeout` at most.
pub struct Sts {
    pub transport: Arc<dyn Transport>,
    /// `https://sts.eu-north-1.amazonaws.com`, or a stand-in; no trailing slash.
    pub endpoint: String,
    pub region: String,
}

impl fmt::Debug for Sts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sts").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Sts {
    /// AWS's own endpoint in a region.
    pub fn endpoint_in(region: &str) -> String {
        let suffix = if region.starts_with("cn-") { ".com.cn" } else { ".com" };
        format!("https://sts.{region}.amazonaws{suffix}")
    }

    /// Credentials of another role of the account.
    pub async fn assume_role(
        &self,
        own: &Credentials,
        role_arn: &str,
        session: &str,
        timeout: Duration,
    ) -> Result<Credentials, StsError> {
        const ACTION: &str = "AssumeRole";
        let fields = [
            ("RoleArn", role_arn),
            ("RoleSessionName", session),
            ("DurationSeconds", ROLE_SECONDS),
        ];
        let answer = self.call(ACTION, Some(own), &fields, timeout).await?;
        credentials_in(&answer).ok_or(StsError::Unreadable(ACTION))
    }

    /// Credentials of a role that trusts the issuer of this token (F-CRED-14). They are valid for an
    /// hour.
    pub async fn assume_role_with_web_identity(
        &self,
        token: &SecretString,
        role_arn: &str,
        session: &str,
        timeout: Duration,
    ) -> Result<Credentials, StsError> {
        const ACTION: &str = "AssumeRoleWithWebIdentity";
        let fields = [
            ("RoleArn", role_arn),
            ("RoleSessionName", session),
            ("DurationSeconds", "3600"),
            ("WebIdentityToken", token.expose_secret()),
        ];
        let answer = self.call(ACTION, None, &fields, timeout).await?;
        credentials_in(&answer).ok_or(StsError::Unreadable(ACTION))
    }

    /// A token that says who the caller is, for a service outside of AWS (F-CRED-7). It is signed with
    /// RS256, the only algorithm that Entra documents (F-CRED-9).
    pub async fn web_identity_token(
        &self,
        own: &Credentials,
        audience: &str,
        timeout: Duration,
    ) -> Result<SecretString, StsError> {
        const ACTION: &str = "GetWebIdentityToken";
        let fields = [
            ("Audience.member.1", audience),
            ("SigningAlgorithm", "RS256"),
            ("DurationSeconds", TOKEN_SECONDS),
        ];
        let answer = self.call(ACTION, Some(own), &fields, timeout).await?;
        let [token] = texts(&answer, ["WebIdentityToken"]).ok_or(StsError::Unreadable(ACTION))?;
        Ok(SecretString::from(token))
    }

    /// The ARN of whoever signs with these credentials. AWS answers this to everybody.
    pub async fn caller_identity(
        &self,
        own: &Credentials,
        timeout: Duration,
    ) -> Result<String, StsError> {
        const ACTION: &str = "GetCallerIdentity";
        let answer = self.call(ACTION, Some(own), &[], timeout).await?;
        let [arn] = texts(&answer, ["Arn"]).ok_or(StsError::Unreadable(ACTION))?;
        Ok(arn)
    }

    async fn call(
        &self,
        action: &'static str,
        signer: Option<&Credentials>,
        fields: &[(&str, &str)],
        timeout: Duration,
    ) -> Result<Bytes, StsError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", "2011-06-15")
            .extend_pairs(fields)
            .finish();
        let unreachable = |source| StsError::Unreachable { action, source };
        let mut request = http::Request::post(format!("{}/", self.endpoint))
            .header(HOST, host_of(&self.endpoint))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Bytes::from(form))
            .map_err(|error| unreachable(error.into()))?;
        if let Some(credentials) = signer {
            sign_request(&mut request, credentials, &self.region, "sts")
                .map_err(|source| StsError::Unsigned { action, source })?;
        }
        let answer = self.transport.send(request, timeout).await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.into_body());
        }
        Err(refusal(action, status, answer.body()))
    }
}

fn host_of(endpoint: &str) -> String {
    let url = Url::parse(endpoint).ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
    match host {
        Some((host, Some(port))) => format!("{host}:{port}"),
        Some((host, None)) => host.to_owned(),
        None => String::new(),
    }
}

/// AWS's codes for a load that is too high, which come with a 400.
const THROTTLES: [&str; 3] = ["Throttling", "RequestLimitExceeded", "IDPCommunicationError"];

fn refusal(action: &'static str, status: StatusCode, body: &[u8]) -> StsError {
    let is_code = |code: &String| {
        code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    let code = texts(body, ["Code"]).map(|[code]| code).filter(is_code);
    let code = code.unwrap_or_else(|| "without a reason".to_owned());
    let status_code = status.as_u16();
    let is_throttled = THROTTLES.contains(&code.trim_end_matches("Exception"));
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || is_throttled {
        return StsError::Unavailable { action, status: status_code, code };
    }
    StsError::Refused { action, status: status_code, code }
}

fn credentials_in(body: &[u8]) -> Option<Credentials> {
    let [id, key, token, expiration] =
        texts(body, ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"])?;
    let expires = expiration.parse::<Timestamp>().ok()?;
    Some(Credentials::new(id, key, Some(token), Some(SystemTime::from(expires)), "sts"))
}

/// The texts of the first elements with these names, at any depth. An empty one is none.
fn texts<const N: usize>(body: &[u8], names: [&str; N]) -> Option<[String; N]> {
    let text = std::str::from_utf8(body).ok()?;
    let mut document = Document::new(text);
    let mut found = [const { None }; N];
    collect(&mut document.root_element().ok()?, &names, &mut found).ok()?;
    let found: Vec<String> = found.into_iter().collect::<Option<_>>()?;
    found.try_into().ok()
}

fn collect(
    element: &mut ScopedDecoder<'_, '_>,
    names: &[&str],
    found: &mut [Option<String>],
) -> Result<(), XmlDecodeError> {
    while let Some(mut child) = element.next_tag() {
        let place = names.iter().position(|name| child.start_el().matches(name));
        match place {
            Some(place) if found[place].is_none() => {
                let text = try_data(&mut child)?.into_owned();
                found[place] = Some(text).filter(|text| !text.is_empty());
            }
            Some(_) => {}
            None => collect(&mut child, names, found)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_named_elements_are_found_at_any_depth() {
        let answer = br#"<?xml version="1.0"?>
            <GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <GetWebIdentityTokenResult>
                <WebIdentityToken>header.claims.signature</WebIdentityToken>
                <Expiration>2026-03-10T12:05:00Z</Expiration>
              </GetWebIdentityTokenResult>
              <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
            </GetWebIdentityTokenResponse>"#;
        let found = texts(answer, ["Expiration", "WebIdentityToken"]);
        let expected = ["2026-03-10T12:05:00Z", "header.claims.signature"];
        assert_eq!(found, Some(expected.map(str::to_owned)));
        assert_eq!(texts(answer, ["AccessKeyId"]), None);
        for broken in [&b""[..], b"not xml", b"<a><Expiration>", b"\xff"] {
            assert_eq!(texts(broken, ["Expiration"]), None);
        }
    }

    #[test]
    fn what_an_operator_must_change_is_told_from_a_passing_failure() {
        let body = |code: &str| format!("<E><Error><Code>{code}</Code></Error></E>").into_bytes();
        for (status, code, is_configuration, says) in [
            (403, "AccessDenied", true, "trust policy"),
            (403, "OutboundWebIdentityFederationDisabledException", true, "enable-outbound"),
            (403, "OutboundWebIdentityFederationDisabled", true, "enable-outbound"),
            (400, "Throttling", false, "Throttling"),
            (400, "ThrottlingException", false, "Throttling"),
            (503, "ServiceUnavailable", false, "503"),
            (429, "", false, "without a reason"),
            (403, "a <b>secret</b>", true, "without a reason"),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let error = refusal("GetWebIdentityToken", status, &body(code));
            assert_eq!(error.class() == ErrorClass::Configuration, is_configuration, "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn an_endpoint_lies_in_its_region() {
        assert_eq!(Sts::endpoint_in("eu-north-1"), "https://sts.eu-north-1.amazonaws.com");
        assert_eq!(Sts::endpoint_in("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn");
        assert_eq!(host_of("http://127.0.0.1:9000"), "127.0.0.1:9000");
    }
}
