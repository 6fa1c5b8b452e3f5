//! A stand-in for AWS's token service: the identities of functions at AWS, and the tokens that tell
//! Entra about them (F-CRED-6, F-CRED-14). It holds no credentials: each access key names the role it belongs to.

use super::aws_account::AwsAccount;
use super::directory::Entra;
use super::jwt;
use super::keys;
use crate::settings::TokenVersion;
use crate::wire::{ApiRequest, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::ToSpan as _;
use serde_json::json;
use std::collections::HashMap;

/// The role of whoever has other credentials than those of this stand-in.
pub const FUNCTION_ROLE: &str = "arn:aws:iam::123456789012:role/marketplace-function";

impl Entra {
    /// The AWS account of the publisher.
    pub fn aws_account(&mut self) -> &mut AwsAccount {
        &mut self.aws_account
    }

    /// A call of AWS's token service.
    pub(crate) fn sts_call(&mut self, request: &ApiRequest) -> Reply {
        self.aws_account.calls += 1;
        if let Some((status, code)) = self.aws_account.fails_with.clone() {
            return error(status, &code);
        }
        let form: HashMap<String, String> =
            url::form_urlencoded::parse(&request.body).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let caller = request.header("authorization").and_then(role_of);
        match (field("Action"), caller) {
            ("AssumeRoleWithWebIdentity", _) => {
                if !self.trusts(field("WebIdentityToken")) {
                    return error(400, "InvalidIdentityToken");
                }
                self.credentials("AssumeRoleWithWebIdentity", field("RoleArn"))
            }
            (_, None) => error(403, "MissingAuthenticationToken"),
            _ if !self.aws_account.allows => error(403, "AccessDenied"),
            ("AssumeRole", Some(_)) => self.credentials("AssumeRole", field("RoleArn")),
            ("GetWebIdentityToken", Some(role)) => self.web_identity_token(
                &role,
                field("Audience.member.1"),
                field("SigningAlgorithm"),
            ),
            _ => error(400, "InvalidAction"),
        }
    }

    fn web_identity_token(&self, role: &str, audience: &str, algorithm: &str) -> Reply {
        if !self.aws_account.issues_tokens {
            return error(403, "OutboundWebIdentityFederationDisabledException");
        }
        if audience.is_empty() || algorithm != "RS256" {
            return error(400, "ValidationError");
        }
        let now = self.now.as_second();
        let claims = json!({
            "iss": self.aws_account.issuer,
            "aud": audience,
            "sub": role,
            "iat": now,
            "exp": now + 300,
            "jti": format!("{now:032x}"),
            "https://sts.amazonaws.com/": { "aws_account": "123456789012" },
        });
        let header = json!({ "alg": "RS256", "kid": keys::aws().kid(), "typ": "JWT" });
        let token = jwt::signed_text(&header.to_string(), &claims.to_string(), keys::aws());
        let expires = self.now + 300.seconds();
        answer(
            "GetWebIdentityToken",
            &format!(
                "<WebIdentityToken>{token}</WebIdentityToken><Expiration>{expires}</Expiration>"
            ),
        )
    }

    fn credentials(&self, action: &str, role: &str) -> Reply {
        let access_key = format!("ASIA{}", URL_SAFE_NO_PAD.encode(role));
        let expires = self.now + 3600.seconds();
        answer(
            action,
            &format!(
                "<Credentials><AccessKeyId>{access_key}</AccessKeyId>\
                 <SecretAccessKey>stand-in-secret</SecretAccessKey>\
                 <SessionToken>stand-in-session-token</SessionToken>\
                 <Expiration>{expires}</Expiration></Credentials>"
            ),
        )
    }

    /// Whether a role of the account trusts this token of Entra's.
    fn trusts(&self, token: &str) -> bool {
        jwt::parse(token).is_some_and(|token| {
            let subject = token.claims["sub"].as_str().unwrap_or_default();
            token.claims["iss"] == self.issuer(TokenVersion::V1)
                && token.claims["aud"] == self.aws_account.trusted_audience
                && self.key().verifies(token.signed.as_bytes(), &token.signature)
                && self.aws_account.trusted_subjects.iter().any(|known| known == subject)
        })
    }
}

/// The role that the access key in a signature belongs to.
fn role_of(authorization: &str) -> Option<String> {
    let access_key = authorization.split("Credential=").nth(1)?.split('/').next()?;
    let role = access_key.strip_prefix("ASIA").and_then(|role| URL_SAFE_NO_PAD.decode(role).ok());
    let role = role.and_then(|role| String::from_utf8(role).ok());
    Some(role.unwrap_or_else(|| FUNCTION_ROLE.to_owned()))
}

fn answer(action: &str, result: &str) -> Reply {
    const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
    let body = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    );
    Reply::text(200, "text/xml", body)
}

fn error(status: u16, code: &str) -> Reply {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>Refused.</Message></Error></ErrorResponse>"
    );
    Reply::text(status, "text/xml", body)
}
