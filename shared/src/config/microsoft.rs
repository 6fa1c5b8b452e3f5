//! How to reach Microsoft, and as which application.

use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::secret::SecretNames;
use crate::host::clock::Clock;
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::retry::RetryPolicy;
use crate::host::secret::ClientSecret;
use crate::microsoft::entra::{
    ClientCredentials, Expected, SigningKeys, TokenCache, TokenEndpoint, WebhookTokenVerifier,
};
use crate::microsoft::fulfillment::{Client, Endpoint, Marketplace};

/// Microsoft's marketplace: the resource of our tokens, the caller of our webhook (F-AUTH-2).
pub const MARKETPLACE_APP_ID: Uuid = Uuid::from_u128(0x20e940b3_4c77_4b0b_9a53_9e16a1b010a7);

const SECRET: SecretNames = SecretNames {
    secret: "ENTRA_CLIENT_SECRET",
    arn: "ENTRA_CLIENT_SECRET_ARN",
    purpose: "the app's secret; or ENTRA_CLIENT_SECRET_ARN, where Secrets Manager keeps it",
};

/// A GUID among the settings.
pub(super) struct Guid(pub(super) Uuid);

impl FromStr for Guid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| "is not a GUID")
    }
}

/// The settings about Microsoft, and the clients made of them.
pub struct Microsoft {
    pub(super) marketplace_url: String,
    pub(super) authority: String,
    pub(super) tenant_id: Uuid,
    pub(super) client_id: Uuid,
    pub(super) secret: ClientSecret,
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
            secret: SECRET.read(environment, transport)?,
            token_endpoint: environment.parse_or(
                "ENTRA_TOKEN_ENDPOINT",
                TokenEndpoint::V2,
                "which of Entra's token endpoints to use, `v2` or `v1`",
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

    /// A client of the fulfillment API that retries as `retry` says.
    pub fn marketplace(&self, retry: RetryPolicy, clock: Arc<dyn Clock>) -> Arc<dyn Marketplace> {
        let provider = ClientCredentials {
            transport: self.transport.clone(),
            authority: self.authority.clone(),
            endpoint: self.token_endpoint,
            tenant_id: self.tenant_id.to_string(),
            client_id: self.client_id.to_string(),
            secret: self.secret.clone(),
            resource: self.marketplace_app_id.to_string(),
            timeout: retry.attempt_timeout,
            clock: clock.clone(),
        };
        let tokens = Arc::new(TokenCache::new(Arc::new(provider), clock.clone()));
        let endpoint = Endpoint { base: self.marketplace_url.clone(), retry };
        Arc::new(Client::new(self.transport.clone(), endpoint, tokens, clock))
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
