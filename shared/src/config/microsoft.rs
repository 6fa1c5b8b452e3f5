//! How to reach Microsoft, and as which application.

use std::sync::Arc;

use uuid::Uuid;

use super::credential::CredentialNames;
use super::guid::Guid;
use super::secret::SecretNames;
use crate::host::clock::Clock;
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::retry::RetryPolicy;
use crate::microsoft::entra::{
    ClientCredentials, Credential, Expected, SigningKeys, TokenCache, TokenEndpoint,
    WebhookTokenVerifier,
};
use crate::microsoft::fulfillment::{Client, Endpoint, Marketplace};

/// Microsoft's marketplace: the resource of our tokens, the caller of our webhook (F-AUTH-2).
pub const MARKETPLACE_APP_ID: Uuid = Uuid::from_u128(0x20e940b3_4c77_4b0b_9a53_9e16a1b010a7);

pub(super) const CREDENTIAL: CredentialNames = CredentialNames {
    kind: "ENTRA_CREDENTIAL",
    secret: SecretNames {
        secret: "ENTRA_CLIENT_SECRET",
        arn: "ENTRA_CLIENT_SECRET_ARN",
        purpose: "the app's secret; or ENTRA_CLIENT_SECRET_ARN, where Secrets Manager keeps it",
    },
    certificate: "ENTRA_CLIENT_CERTIFICATE",
};

/// Microsoft documents assertions for v2 alone (F-CRED-2).
fn token_endpoint(
    environment: &Environment,
    credential: &Credential,
) -> Result<TokenEndpoint, ConfigError> {
    const NAME: &str = "ENTRA_TOKEN_ENDPOINT";
    const PURPOSE: &str = "which of Entra's token endpoints to use, `v2` or `v1`";
    let endpoint = environment.parse_or(NAME, TokenEndpoint::V2, PURPOSE)?;
    if endpoint == TokenEndpoint::V1 && !matches!(credential, Credential::Secret(_)) {
        let problem = "must be `v2` unless ENTRA_CREDENTIAL is `secret`".to_owned();
        return Err(ConfigError { name: NAME, problem, purpose: PURPOSE });
    }
    Ok(endpoint)
}

/// The settings about Microsoft, and the clients made of them.
#[derive(Clone)]
pub struct Microsoft {
    pub(super) marketplace_url: String,
    pub(super) authority: String,
    pub(super) tenant_id: Uuid,
    pub(super) client_id: Uuid,
    pub(super) credential: Credential,
    pub(super) token_endpoint: TokenEndpoint,
    pub(super) marketplace_app_id: Uuid,
    pub(super) transport: Arc<dyn Transport>,
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
        let credential = CREDENTIAL.read(environment, transport)?;
        let token_endpoint = token_endpoint(environment, &credential)?;
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
            credential,
            token_endpoint,
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

    /// A client of the fulfillment API that retries as `retry` says.
    pub fn marketplace(&self, retry: RetryPolicy, clock: Arc<dyn Clock>) -> Arc<dyn Marketplace> {
        let provider = self.credentials(retry, clock.clone());
        let tokens = Arc::new(TokenCache::new(Arc::new(provider), clock.clone()));
        let endpoint = Endpoint { base: self.marketplace_url.clone(), retry };
        Arc::new(Client::new(self.transport.clone(), endpoint, tokens, clock))
    }

    /// Requests tokens for the fulfillment API, each time a new one.
    pub fn credentials(&self, retry: RetryPolicy, clock: Arc<dyn Clock>) -> ClientCredentials {
        ClientCredentials {
            transport: self.transport.clone(),
            authority: self.authority.clone(),
            endpoint: self.token_endpoint,
            tenant_id: self.tenant_id.to_string(),
            client_id: self.client_id.to_string(),
            credential: self.credential.clone(),
            resource: self.marketplace_app_id.to_string(),
            timeout: retry.attempt_timeout,
            clock,
        }
    }

    /// The same settings, with clients that send their requests this way.
    #[must_use]
    pub fn over(&self, transport: Arc<dyn Transport>) -> Self {
        Self { transport, ..self.clone() }
    }

    /// The tenant and the app that must be in Partner Center's technical configuration.
    pub fn app(&self) -> (Uuid, Uuid) {
        (self.tenant_id, self.client_id)
    }

    /// The app id of Microsoft's marketplace.
    pub fn marketplace_app_id(&self) -> Uuid {
        self.marketplace_app_id
    }

    /// What the app proves itself with.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// A verifier of the tokens that webhook calls carry.
    pub fn webhook_verifier(
        &self,
        retry: RetryPolicy,
        clock: Arc<dyn Clock>,
    ) -> WebhookTokenVerifier {
        let (transport, authority) = (self.transport.clone(), &self.authority);
        let (tenant, client) = (self.tenant_id, self.client_id);
        let keys = SigningKeys::new(transport, authority, tenant, client, retry, clock);
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
