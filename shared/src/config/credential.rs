//! How an application of the publisher's proves itself at Entra. Each one has one kind of credential;
//! a setting of another kind would be a mistake, and stops the start.

use std::str::FromStr;
use std::sync::Arc;

use super::aws::Aws;
use super::azure_identity::azure_identity;
use super::secret::{SecretNames, given, one_of_all};
use crate::host::environment::{ConfigError, Environment};
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;
use crate::microsoft::entra::{AwsIdentity, Certificate, Credential, TOKEN_EXCHANGE};

/// The settings of one application's credential.
pub(super) struct CredentialNames {
    pub(super) kind: &'static str,
    pub(super) secret: SecretNames,
    /// The JSON that holds all secrets may have it instead.
    pub(super) certificate: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Secret,
    Certificate,
    AwsIdentity,
    AzureIdentity,
}

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "secret" => Self::Secret,
            "certificate" => Self::Certificate,
            "aws-identity" => Self::AwsIdentity,
            "azure-identity" => Self::AzureIdentity,
            _ => return Err("must be `secret`, `certificate`, `aws-identity` or `azure-identity`"),
        })
    }
}

const KIND_PURPOSE: &str = "what the app proves itself with at Entra";

impl CredentialNames {
    pub(super) fn read(
        &self,
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<Credential, ConfigError> {
        let kind = self.kind_in(environment)?;
        let SecretNames { secret, arn, .. } = self.secret;
        let of_other_kind: &[_] = match kind {
            Kind::Secret => &[self.certificate],
            Kind::Certificate => &[secret, arn],
            Kind::AwsIdentity | Kind::AzureIdentity => &[secret, arn, self.certificate],
        };
        for &name in of_other_kind {
            if environment.get(name).is_some() {
                let problem = format!("does not belong to the kind that {} names", self.kind);
                return Err(ConfigError { name, problem, purpose: KIND_PURPOSE });
            }
        }
        let role_arn = role(environment)?;
        Ok(match kind {
            Kind::Secret => Credential::Secret(self.secret.read(environment, transport)?),
            Kind::Certificate => Credential::Certificate(self.pem(environment, transport)?),
            Kind::AwsIdentity => {
                Credential::AwsIdentity(aws_identity(environment, transport, role_arn)?)
            }
            Kind::AzureIdentity => {
                let identity = azure_identity(environment, transport, TOKEN_EXCHANGE.to_owned())?;
                Credential::AzureIdentity(Arc::new(identity))
            }
        })
    }

    /// Which kind of credential the application has.
    pub(super) fn kind_in(&self, environment: &Environment) -> Result<Kind, ConfigError> {
        environment.parse_or(self.kind, Kind::Secret, KIND_PURPOSE)
    }

    /// Key and certificate. What a setting holds must be right at the start.
    pub(super) fn pem(
        &self,
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<ClientSecret, ConfigError> {
        const PURPOSE: &str = "the app's certificate and its key as PEM; the JSON that SECRETS_ARN \
                               names may hold them instead";
        let name = self.certificate;
        let problem = |problem: String| ConfigError { name, problem, purpose: PURPOSE };
        let one_of_all = one_of_all(environment, transport, name)?;
        match environment.get(name) {
            Some(pem) => {
                Certificate::parse(&pem).map_err(|error| problem(error.to_string()))?;
                given(name, &pem, PURPOSE)
            }
            None => one_of_all.ok_or_else(|| problem("is not set".to_owned())),
        }
    }
}

/// The role that Entra trusts, and that the functions assume.
fn role(environment: &Environment) -> Result<Option<String>, ConfigError> {
    const NAME: &str = "MICROSOFT_ROLE_ARN";
    const PURPOSE: &str = "the role that Entra trusts, and that the functions assume";
    match environment.get(NAME) {
        Some(arn) if !arn.starts_with("arn:") => {
            let problem = "is not an ARN".to_owned();
            Err(ConfigError { name: NAME, problem, purpose: PURPOSE })
        }
        arn => Ok(arn),
    }
}

/// Reads how to reach AWS's token service.
fn aws_identity(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    role_arn: Option<String>,
) -> Result<Arc<AwsIdentity>, ConfigError> {
    let aws = Aws::read(environment, transport)?;
    let sts = aws.sts(environment)?;
    let audience = TOKEN_EXCHANGE.to_owned();
    Ok(Arc::new(AwsIdentity { sts, own: aws.credentials, role_arn, audience }))
}
