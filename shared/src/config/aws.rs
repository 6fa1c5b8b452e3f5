//! AWS's services: credentials, region, timeouts, and the table.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};

use super::azure_identity::azure_identity;
use super::web_identity_role::WebIdentityRole;
use crate::host::clock::Clock;
use crate::host::cloudwatch::CloudWatch;
use crate::host::environment::{ConfigError, Environment};
use crate::host::http_client::{self, Transport};
use crate::host::step_functions::StateMachine;
use crate::host::sts::Sts;
use crate::store::DynamoDbStore;

/// A function's identity at AWS. Lambda puts the credentials into the environment, where they stay
/// valid for as long as the process lives; looking for others would make the start slower.
///
/// Elsewhere, `AWS_ROLE_ARN` names a role that trusts the managed identity of the Azure Functions app,
/// so that no key of AWS's has to be kept (F-CRED-14).
pub(super) struct Aws {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) credentials: SharedCredentialsProvider,
    pub(super) region: String,
}

impl Aws {
    pub(super) fn read(
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<Self, ConfigError> {
        let region = environment.require("AWS_REGION", "the table's AWS region; Lambda sets it")?;
        let credentials = match environment.get("AWS_ROLE_ARN") {
            Some(role_arn) => {
                let role = web_identity_role(environment, transport, role_arn, &region)?;
                SharedCredentialsProvider::new(role)
            }
            None => SharedCredentialsProvider::new(given(environment)?),
        };
        Ok(Self { transport: transport.clone(), credentials, region })
    }

    pub(super) fn sts(&self, environment: &Environment) -> Result<Sts, ConfigError> {
        sts(environment, &self.transport, &self.region)
    }

    pub(super) fn state_machine(
        self,
        environment: &Environment,
        arn: String,
    ) -> Result<StateMachine, ConfigError> {
        let endpoint = endpoint(environment, "AWS_ENDPOINT_URL_SFN")?;
        Ok(StateMachine {
            endpoint: endpoint.unwrap_or_else(|| StateMachine::endpoint_in(&self.region)),
            transport: self.transport,
            credentials: self.credentials,
            region: self.region,
            arn,
        })
    }

    pub(super) fn cloudwatch(
        self,
        environment: &Environment,
        prefix: String,
    ) -> Result<CloudWatch, ConfigError> {
        let endpoint = endpoint(environment, "AWS_ENDPOINT_URL_CLOUDWATCH")?;
        Ok(CloudWatch {
            endpoint: endpoint.unwrap_or_else(|| CloudWatch::endpoint_in(&self.region)),
            transport: self.transport,
            credentials: self.credentials,
            region: self.region,
            prefix,
        })
    }

    pub(super) fn secrets_manager(
        self,
        environment: &Environment,
    ) -> Result<aws_sdk_secretsmanager::Client, ConfigError> {
        let mut config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http_client::for_aws(self.transport))
            .credentials_provider(self.credentials)
            .region(Region::new(self.region))
            .retry_config(retries())
            .timeout_config(timeouts());
        if let Some(url) = endpoint(environment, "AWS_ENDPOINT_URL_SECRETS_MANAGER")? {
            config = config.endpoint_url(url);
        }
        Ok(aws_sdk_secretsmanager::Client::from_conf(config.build()))
    }

    fn dynamodb(
        self,
        environment: &Environment,
    ) -> Result<aws_sdk_dynamodb::config::Builder, ConfigError> {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http_client::for_aws(self.transport))
            .credentials_provider(self.credentials)
            .region(Region::new(self.region))
            .retry_config(retries())
            .timeout_config(timeouts());
        if let Some(url) = endpoint(environment, "AWS_ENDPOINT_URL_DYNAMODB")? {
            config = config.endpoint_url(url);
        }
        Ok(config)
    }
}

/// The credentials in the environment.
fn given(environment: &Environment) -> Result<Credentials, ConfigError> {
    const PURPOSE: &str = "AWS credentials; Lambda sets them";
    Ok(Credentials::new(
        environment.require("AWS_ACCESS_KEY_ID", PURPOSE)?,
        environment.require("AWS_SECRET_ACCESS_KEY", PURPOSE)?,
        environment.get("AWS_SESSION_TOKEN"),
        None,
        "environment",
    ))
}

fn web_identity_role(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    role_arn: String,
    region: &str,
) -> Result<WebIdentityRole, ConfigError> {
    const NAME: &str = "AWS_ROLE_ARN";
    const PURPOSE: &str = "the role that trusts the app's managed identity";
    let problem = if !role_arn.starts_with("arn:") {
        "is not an ARN"
    } else if environment.get("AWS_ACCESS_KEY_ID").is_some() {
        "is set beside AWS_ACCESS_KEY_ID; one of them is enough"
    } else {
        let audience = environment.require(
            "AWS_ROLE_AUDIENCE",
            "the id URI of the app that AWS's identity provider names",
        )?;
        return Ok(WebIdentityRole {
            identity: azure_identity(environment, transport, audience)?,
            sts: sts(environment, transport, region)?,
            role_arn,
        });
    };
    Err(ConfigError { name: NAME, problem: problem.to_owned(), purpose: PURPOSE })
}

fn sts(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    region: &str,
) -> Result<Sts, ConfigError> {
    let endpoint = endpoint(environment, "AWS_ENDPOINT_URL_STS")?;
    Ok(Sts {
        transport: transport.clone(),
        endpoint: endpoint.unwrap_or_else(|| Sts::endpoint_in(region)),
        region: region.to_owned(),
    })
}

/// An AWS service's address, where it isn't AWS's own.
pub(super) fn endpoint(
    environment: &Environment,
    name: &'static str,
) -> Result<Option<String>, ConfigError> {
    const PURPOSE: &str = "a service's endpoint, as every AWS SDK reads it";
    environment.get(name).map(|url| environment.url_or(name, &url, PURPOSE)).transpose()
}

/// DynamoDB and Secrets Manager answer within milliseconds or not at all. The SDK's own timeouts
/// are longer than a request handler has.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(1500))
        .operation_timeout(Duration::from_secs(4))
        .build()
}

/// By default the SDK pauses up to one second before its second attempt and two before its third.
/// Microsoft gives the webhook ten in all (F-WHA-10).
fn retries() -> RetryConfig {
    RetryConfig::standard().with_initial_backoff(Duration::from_millis(50))
}

/// Reads `TABLE_NAME` and how to reach the table.
pub fn table(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<DynamoDbStore>, ConfigError> {
    let table = environment.require("TABLE_NAME", "the DynamoDB table")?;
    let config = dynamodb(environment, transport)?.build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    Ok(Arc::new(DynamoDbStore::new(client, table, clock)))
}

/// Reads how to reach DynamoDB, with the timeouts and retries of the functions that ship.
pub fn dynamodb(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<aws_sdk_dynamodb::config::Builder, ConfigError> {
    Aws::read(environment, transport)?.dynamodb(environment)
}
