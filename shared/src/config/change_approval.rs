//! How plan and seat changes are decided: `CHANGE_POLICY`, `CHANGE_RULES` and `DECISION_*`.

use super::Dependencies;
use super::address::HttpsAddress;
use super::secret::SecretNames;
use crate::domain::{ChangePolicy, ChangeRules};
use crate::host::environment::{ConfigError, Environment, parse};
use crate::publisher::approval::{ChangeApproval, Product};

const KEYS: SecretNames = SecretNames {
    secret: "DECISION_SIGNING_KEY",
    arn: "DECISION_SIGNING_KEY_ARN",
    purpose: "the key that signs questions about changes, `whsec_` and base64; \
              or DECISION_SIGNING_KEY_ARN, where Secrets Manager keeps it",
};

impl ChangeApproval {
    /// Reads `CHANGE_POLICY`, `CHANGE_RULES` and the settings of the publisher's product.
    pub fn read(
        environment: &Environment,
        dependencies: &Dependencies,
    ) -> Result<Self, ConfigError> {
        const POLICY: &str =
            "the answer to a plan or seat change that nothing else decides, `accept` or `reject`";
        const RULES: &str = "which changes are allowed, JSON by offer";
        Ok(Self {
            policy: environment.parse_or("CHANGE_POLICY", ChangePolicy::Accept, POLICY)?,
            rules: environment.parse_or("CHANGE_RULES", ChangeRules::default(), RULES)?,
            product: product(environment, dependencies)?,
        })
    }
}

fn product(
    environment: &Environment,
    dependencies: &Dependencies,
) -> Result<Option<Product>, ConfigError> {
    const URL: &str = "DECISION_URL";
    const URL_PURPOSE: &str =
        "where your product decides about changes, as in https://api.example.com/decisions";
    const FALLBACK: &str = "DECISION_FALLBACK";
    const FALLBACK_PURPOSE: &str =
        "the answer to a change when your product gives no decision, `accept` or `reject`";
    let fallback = environment.get(FALLBACK);
    let fallback = fallback.map(|value| parse(FALLBACK, &value, FALLBACK_PURPOSE)).transpose()?;
    let Some(address) = environment.get(URL) else {
        KEYS.mention(environment);
        return Ok(None);
    };
    let HttpsAddress(url) = parse(URL, &address, URL_PURPOSE)?;
    let Dependencies { transport, clock, .. } = dependencies;
    let keys = KEYS.read_signing_keys(environment, transport)?;
    Ok(Some(Product::new(url, keys, fallback, transport.clone(), clock.clone())))
}
