//! Settings, read once at the start, with a message for whoever set them wrongly.

use std::cell::RefCell;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use secrecy::SecretString;
use thiserror::Error;
use uuid::Uuid;

use crate::auth::{
    ClientCredentials, ClientSecret, Expected, SigningKeys, TokenCache, TokenEndpoint,
    WebhookTokenVerifier,
};
use crate::deadline::Punctual;
use crate::fulfillment::{Client, Endpoint, Marketplace};
use crate::outbound::{self, Https, Transport};
use crate::retry::RetryPolicy;
use crate::store::{DynamoDbStore, Outbox, Store};
use crate::system::{RealSystem, System};

mod branding;
mod changes;
mod delivery;
mod landing_app;
mod management;

pub use branding::{Branding, Colour, Field, Label, Logo, Support, is_email};
pub use delivery::{DeliverySettings, EndpointSettings, EventBusSettings};
pub use landing_app::LandingApp;
pub use management::ManagementSettings;

/// A setting that is absent or wrong. One line that names it and says what it is for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{name} {problem} ({purpose})")]
pub struct ConfigError {
    /// The variable.
    pub name: &'static str,
    /// What is wrong with it. Never its value: it may be a secret in the wrong place.
    pub problem: String,
    /// What it is for.
    pub purpose: &'static str,
}

type Lookup = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Where settings come from. Remembers which were asked for, so that a deployment template can be
/// held against what a function reads.
pub struct Environment {
    lookup: Lookup,
    asked: RefCell<Vec<&'static str>>,
}

impl Environment {
    /// The process's own environment.
    pub fn of_process() -> Self {
        Self::from_fn(|name| std::env::var(name).ok())
    }

    /// Settings from anywhere else.
    pub fn from_fn(lookup: impl Fn(&str) -> Option<String> + Send + 'static) -> Self {
        Self { lookup: Box::new(lookup), asked: RefCell::default() }
    }

    /// The variables asked for so far, sorted, each once.
    pub fn asked(&self) -> Vec<&'static str> {
        let mut asked = self.asked.borrow().clone();
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// A setting, trimmed; `None` where it is absent or empty.
    pub fn get(&self, name: &'static str) -> Option<String> {
        self.asked.borrow_mut().push(name);
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A setting that must be there.
    pub fn require(
        &self,
        name: &'static str,
        purpose: &'static str,
    ) -> Result<String, ConfigError> {
        self.get(name).ok_or_else(|| ConfigError {
            name,
            problem: "is not set".to_owned(),
            purpose,
        })
    }

    /// A setting of a certain form, or its default.
    pub fn parse_or<T>(
        &self,
        name: &'static str,
        default: T,
        purpose: &'static str,
    ) -> Result<T, ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        match self.get(name) {
            Some(value) => parse(name, &value, purpose),
            None => Ok(default),
        }
    }

    /// The address of a service, without a trailing slash, or its default.
    pub fn url_or(
        &self,
        name: &'static str,
        default: &str,
        purpose: &'static str,
    ) -> Result<String, ConfigError> {
        let url = self.get(name).unwrap_or_else(|| default.to_owned());
        let problem = match url::Url::parse(&url) {
            Ok(parsed)
                if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() =>
            {
                "is not an http(s) address"
            }
            Ok(parsed) if parsed.query().is_some() || parsed.fragment().is_some() => {
                "must not have a query or a fragment"
            }
            Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
                "must not hold credentials"
            }
            Ok(_) => return Ok(url.trim_end_matches('/').to_owned()),
            Err(_) => "is not an address",
        };
        Err(ConfigError { name, problem: problem.to_owned(), purpose })
    }
}

fn parse<T>(name: &'static str, value: &str, purpose: &'static str) -> Result<T, ConfigError>
where
    T: FromStr,
    T::Err: Display,
{
    value.parse().map_err(|error: T::Err| ConfigError { name, problem: error.to_string(), purpose })
}

/// A GUID as the settings write it.
struct Guid(Uuid);

impl FromStr for Guid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| "is not a GUID")
    }
}

/// Microsoft's marketplace: the resource of our tokens, the caller of our webhook (F-AUTH-2).
pub const MARKETPLACE_APP_ID: Uuid = Uuid::from_u128(0x20e940b3_4c77_4b0b_9a53_9e16a1b010a7);

/// How to reach Microsoft, and as whom.
pub struct Microsoft {
    marketplace_url: String,
    authority: String,
    tenant_id: Uuid,
    client_id: Uuid,
    secret: ClientSecret,
    token_endpoint: TokenEndpoint,
    marketplace_app_id: Uuid,
    transport: Arc<dyn Transport>,
}

impl Microsoft {
    /// Reads `MARKETPLACE_URL` and everything about Entra.
    pub fn read(
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<Self, ConfigError> {
        const TENANT: &str = "the tenant of the app in Partner Center's technical configuration";
        const CLIENT: &str = "the app in Partner Center's technical configuration";
        let required = |name, purpose| -> Result<Uuid, ConfigError> {
            parse::<Guid>(name, &environment.require(name, purpose)?, purpose).map(|guid| guid.0)
        };
        Ok(Self {
            marketplace_url: environment.url_or(
                "MARKETPLACE_URL",
                "https://marketplaceapi.microsoft.com/api",
                "the base of the fulfillment API",
            )?,
            authority: environment.url_or(
                "ENTRA_AUTHORITY",
                "https://login.microsoftonline.com",
                "where tokens and signing keys come from",
            )?,
            tenant_id: required("ENTRA_TENANT_ID", TENANT)?,
            client_id: required("ENTRA_CLIENT_ID", CLIENT)?,
            secret: client_secret(environment, transport, &ENTRA_SECRET)?,
            token_endpoint: environment.parse_or(
                "ENTRA_TOKEN_ENDPOINT",
                TokenEndpoint::V2,
                "which of Entra's token endpoints is asked, `v2` or `v1`",
            )?,
            marketplace_app_id: environment
                .parse_or(
                    "MARKETPLACE_APP_ID",
                    Guid(MARKETPLACE_APP_ID),
                    "the token's resource, and the caller of the webhook",
                )?
                .0,
            transport: transport.clone(),
        })
    }

    /// The way out.
    fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// The fulfillment API, called as patiently as `retry` says.
    pub fn marketplace(&self, retry: RetryPolicy, system: Arc<dyn System>) -> Arc<dyn Marketplace> {
        let provider = ClientCredentials {
            transport: self.transport.clone(),
            authority: self.authority.clone(),
            endpoint: self.token_endpoint,
            tenant_id: self.tenant_id.to_string(),
            client_id: self.client_id.to_string(),
            secret: self.secret.clone(),
            resource: self.marketplace_app_id.to_string(),
            timeout: retry.attempt_timeout,
            system: system.clone(),
        };
        let tokens = Arc::new(TokenCache::new(Arc::new(provider), system.clone()));
        let endpoint = Endpoint { base: self.marketplace_url.clone(), retry };
        Arc::new(Client::new(self.transport.clone(), endpoint, tokens, system))
    }

    /// The check of the webhook's callers.
    pub fn webhook_verifier(
        &self,
        retry: RetryPolicy,
        system: Arc<dyn System>,
    ) -> WebhookTokenVerifier {
        let tenant = self.tenant_id.to_string();
        let keys =
            SigningKeys::new(self.transport.clone(), &self.authority, &tenant, retry, system);
        WebhookTokenVerifier::new(
            keys,
            Expected {
                tenant_id: self.tenant_id,
                client_id: self.client_id,
                caller: self.marketplace_app_id,
                authority: self.authority.clone(),
            },
        )
    }
}

impl FromStr for TokenEndpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "v1" => Ok(Self::V1),
            "v2" => Ok(Self::V2),
            _ => Err("must be `v2` or `v1`"),
        }
    }
}

/// The settings a secret may come by.
struct SecretNames {
    secret: &'static str,
    arn: &'static str,
    purpose: &'static str,
}

const ENTRA_SECRET: SecretNames = SecretNames {
    secret: "ENTRA_CLIENT_SECRET",
    arn: "ENTRA_CLIENT_SECRET_ARN",
    purpose: "the app's secret; or ENTRA_CLIENT_SECRET_ARN, where Secrets Manager keeps it",
};

fn client_secret(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    names: &SecretNames,
) -> Result<ClientSecret, ConfigError> {
    match (environment.get(names.secret), environment.get(names.arn)) {
        (Some(secret), None) => Ok(ClientSecret::Given(SecretString::from(secret))),
        (None, Some(arn)) if arn.starts_with("arn:") => {
            let aws = Aws::read(environment, transport)?;
            let mut config = aws_sdk_secretsmanager::Config::builder()
                .behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest())
                .http_client(outbound::for_aws(aws.transport))
                .credentials_provider(aws.credentials)
                .region(aws_sdk_secretsmanager::config::Region::new(aws.region))
                .retry_config(aws_retries())
                .timeout_config(aws_timeouts());
            if let Some(url) = aws_endpoint(environment, "AWS_ENDPOINT_URL_SECRETS_MANAGER")? {
                config = config.endpoint_url(url);
            }
            let client = aws_sdk_secretsmanager::Client::from_conf(config.build());
            Ok(ClientSecret::SecretsManager { client, arn })
        }
        (None, Some(_)) => Err(ConfigError {
            name: names.arn,
            problem: "is not an ARN".to_owned(),
            purpose: "where Secrets Manager keeps the app's secret",
        }),
        (Some(_), Some(_)) => Err(ConfigError {
            name: names.secret,
            problem: format!("is set beside {}; one of them is enough", names.arn),
            purpose: names.purpose,
        }),
        (None, None) => Err(ConfigError {
            name: names.secret,
            problem: "is not set".to_owned(),
            purpose: names.purpose,
        }),
    }
}

/// Who we are to AWS. A function's credentials stand in its environment and live as long as it
/// does; looking for others would cost it a part of its start.
struct Aws {
    transport: Arc<dyn Transport>,
    credentials: SharedCredentialsProvider,
    region: String,
}

impl Aws {
    fn read(
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<Self, ConfigError> {
        const PURPOSE: &str = "AWS credentials; Lambda sets them";
        let credentials = Credentials::new(
            environment.require("AWS_ACCESS_KEY_ID", PURPOSE)?,
            environment.require("AWS_SECRET_ACCESS_KEY", PURPOSE)?,
            environment.get("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Ok(Self {
            transport: transport.clone(),
            credentials: SharedCredentialsProvider::new(credentials),
            region: environment.require("AWS_REGION", "the table's AWS region; Lambda sets it")?,
        })
    }
}

/// Where a service of AWS's is, if it isn't AWS's own place.
fn aws_endpoint(
    environment: &Environment,
    name: &'static str,
) -> Result<Option<String>, ConfigError> {
    const PURPOSE: &str = "a service's endpoint, as every AWS SDK reads it";
    environment.get(name).map(|url| environment.url_or(name, &url, PURPOSE)).transpose()
}

/// DynamoDB answers within milliseconds or not at all; a request handler can't wait for the SDK's
/// own patience.
fn aws_timeouts() -> aws_sdk_dynamodb::config::timeout::TimeoutConfig {
    aws_sdk_dynamodb::config::timeout::TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(1500))
        .operation_timeout(Duration::from_secs(4))
        .build()
}

/// The SDK would wait up to a second before it tries again, and two before the last time: of the ten that
/// Microsoft gives (F-WHA-10).
fn aws_retries() -> aws_sdk_dynamodb::config::retry::RetryConfig {
    aws_sdk_dynamodb::config::retry::RetryConfig::standard()
        .with_initial_backoff(Duration::from_millis(50))
}

/// Reads `TABLE_NAME` and how to reach the table.
pub fn store(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    system: Arc<dyn System>,
) -> Result<Arc<dyn Store>, ConfigError> {
    Ok(Arc::new(table(environment, transport, system)?))
}

/// The same table, as whoever carries events sees it.
pub fn outbox(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    system: Arc<dyn System>,
) -> Result<Arc<dyn Outbox>, ConfigError> {
    Ok(Arc::new(table(environment, transport, system)?))
}

fn table(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    system: Arc<dyn System>,
) -> Result<DynamoDbStore, ConfigError> {
    let table = environment.require("TABLE_NAME", "the DynamoDB table")?;
    let aws = Aws::read(environment, transport)?;
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .http_client(outbound::for_aws(aws.transport))
        .credentials_provider(aws.credentials)
        .region(aws_sdk_dynamodb::config::Region::new(aws.region))
        .retry_config(aws_retries())
        .timeout_config(aws_timeouts());
    if let Some(url) = aws_endpoint(environment, "AWS_ENDPOINT_URL_DYNAMODB")? {
        config = config.endpoint_url(url);
    }
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    Ok(DynamoDbStore::new(client, table, system))
}

/// What every function is built from: the settings, and what reaches out from them.
pub struct Foundation {
    /// Microsoft.
    pub microsoft: Microsoft,
    /// The table.
    pub store: Arc<dyn Store>,
    /// Time.
    pub system: Arc<dyn System>,
}

impl Foundation {
    /// Reads the settings all functions have in common.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        Self::on(environment, Arc::new(RealSystem))
    }

    /// The same on another machine than the real one.
    pub fn on(environment: &Environment, system: Arc<dyn System>) -> Result<Self, ConfigError> {
        let transport: Arc<dyn Transport> =
            Arc::new(Punctual::new(Https::default(), system.clone()));
        Ok(Self {
            microsoft: Microsoft::read(environment, &transport)?,
            store: store(environment, &transport, system.clone())?,
            system,
        })
    }
}

#[cfg(test)]
mod tests;
