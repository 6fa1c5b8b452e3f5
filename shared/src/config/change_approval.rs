//! How changes of plan and seats are decided.

use super::delivery::{HttpsAddress, signing_keys};
use super::{ConfigError, Environment, Foundation, SecretNames, parse};
use crate::decision::{Changes, Product};
use crate::domain::{ChangePolicy, ChangeRules};

const KEYS: SecretNames = SecretNames {
    secret: "DECISION_SIGNING_KEY",
    arn: "DECISION_SIGNING_KEY_ARN",
    purpose: "what questions about changes are signed with, `whsec_` and base64; or DECISION_SIGNING_KEY_ARN, where Secrets Manager keeps it",
};

impl Changes {
    /// Reads `CHANGE_POLICY`, `CHANGE_RULES`, and all that is about asking the publisher's product.
    pub fn read(environment: &Environment, foundation: &Foundation) -> Result<Self, ConfigError> {
        const POLICY: &str = "what an unasked plan or seat change meets, `accept` or `reject`";
        const RULES: &str = "which changes are allowed, JSON by offer";
        Ok(Self {
            policy: environment.parse_or("CHANGE_POLICY", ChangePolicy::Accept, POLICY)?,
            rules: environment.parse_or("CHANGE_RULES", ChangeRules::default(), RULES)?,
            product: product(environment, foundation)?,
        })
    }
}

fn product(
    environment: &Environment,
    foundation: &Foundation,
) -> Result<Option<Product>, ConfigError> {
    const URL: &str = "DECISION_URL";
    const URL_PURPOSE: &str =
        "where your product decides about changes, as in https://api.example.com/decisions";
    const FALLBACK: &str = "DECISION_FALLBACK";
    const FALLBACK_PURPOSE: &str =
        "what a change meets when your product gives no decision, `accept` or `reject`";
    let fallback = environment.get(FALLBACK);
    let fallback = fallback.map(|value| parse(FALLBACK, &value, FALLBACK_PURPOSE)).transpose()?;
    let Some(address) = environment.get(URL) else {
        // Asked for all the same, so that a deployment is held against all that may be set.
        let _ = (environment.get(KEYS.secret), environment.get(KEYS.arn));
        return Ok(None);
    };
    let HttpsAddress(url) = parse(URL, &address, URL_PURPOSE)?;
    let transport = &foundation.microsoft.transport;
    let keys = signing_keys(environment, transport, &KEYS)?;
    let system = foundation.system.clone();
    Ok(Some(Product::new(url, keys, fallback, transport.clone(), system)))
}
