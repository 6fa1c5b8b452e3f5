//! Whether Entra and Microsoft answer us: a token, and the list of subscriptions.

use std::sync::Arc;
use std::time::Duration;

use shared::config::Microsoft;
use shared::host::clock::Clock;
use shared::host::http_client::Transport;
use shared::host::retry::RetryPolicy;
use shared::microsoft::entra::{TokenError, TokenProvider as _};
use shared::microsoft::fulfillment::FulfillmentError;

use super::clock::{self, Dated};
use super::finding::Finding;

pub(super) const TOKEN: &str = "token";
const LIST: &str = "list";

const RETRY: RetryPolicy = RetryPolicy {
    attempts: 2,
    attempt_timeout: Duration::from_secs(4),
    ..RetryPolicy::INTERACTIVE
};

const SECRETS: &str = "Entra > App registrations > the app > Certificates & secrets";
const APP: &str = "Parameters EntraClientId and EntraTenantId, and Entra > App registrations > the app > Overview";
const FEDERATED: &str =
    "Entra > App registrations > the app > Certificates & secrets > Federated credentials";
const UNTRUSTED: &str = "The app does not trust the functions' identity. Compare issuer, subject and \
                         audience with those in the log line about the refusal.";
const TECHNICAL: &str = "Partner Center > Technical configuration > Microsoft Entra tenant ID, \
                         Microsoft Entra application ID";

/// Nothing is cached: an expired secret shows at once, and not in an hour.
pub(super) async fn examine(
    microsoft: &Microsoft,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
) -> [Finding; 3] {
    let dated = Arc::new(Dated::new(transport, clock.clone()));
    let over = microsoft.over(dated.clone());
    let credentials = over.credentials(RETRY, clock.clone());
    let marketplace = over.marketplace(RETRY, clock);
    let (token, list) = tokio::join!(credentials.token(), marketplace.list_subscriptions(None));
    [
        self::token(microsoft, token.err().as_ref()),
        self::list(microsoft, list.err().as_ref()),
        clock::finding(dated.ahead()),
    ]
}

fn token(microsoft: &Microsoft, error: Option<&TokenError>) -> Finding {
    let (tenant, app) = microsoft.app();
    let failed = |says: String, place| Finding::failed(TOKEN, says, place);
    let codes = match error {
        None => return Finding::ok(TOKEN, "Entra gives the app a token for Microsoft's API."),
        Some(TokenError::Refused { codes, .. }) => codes,
        Some(error @ TokenError::Credential(_)) => {
            return failed(format!("The app has nothing to prove itself with: {error}."), SECRETS);
        }
        Some(
            error @ (TokenError::Unavailable { .. }
            | TokenError::Unreachable(_)
            | TokenError::NoToken),
        ) => {
            let says = format!("{error}. Examine again in a few minutes, and check the address.");
            return failed(says, "Parameter EntraAuthority");
        }
    };
    let advice = [
        (
            7_000_222,
            "The client secret has expired. Make a new one, and put its value where \
             ENTRA_CLIENT_SECRET is kept."
                .to_owned(),
            SECRETS,
        ),
        (
            7_000_215,
            "The client secret is wrong. ENTRA_CLIENT_SECRET must be the value of a secret of this \
             app, not its id."
                .to_owned(),
            SECRETS,
        ),
        (
            700_027,
            "The certificate is not registered at the app, or it has ended. Upload the one whose key the \
             functions have."
                .to_owned(),
            SECRETS,
        ),
        (700_024, "The assertion is outside of its time: see clock.".to_owned(), SECRETS),
        (700_211, UNTRUSTED.to_owned(), FEDERATED),
        (700_212, UNTRUSTED.to_owned(), FEDERATED),
        (700_213, UNTRUSTED.to_owned(), FEDERATED),
        (70_021, UNTRUSTED.to_owned(), FEDERATED),
        (
            700_016,
            format!("Entra knows no app {app} in the tenant {tenant}. Compare both ids with the app's."),
            APP,
        ),
        (
            90_002,
            format!("Entra knows no tenant {tenant}. Compare the id with the app's."),
            "Parameter EntraTenantId, and Entra > App registrations > the app > Overview",
        ),
        (
            500_011,
            format!(
                "Microsoft's marketplace has no service principal in the tenant. Run \
                 `az ad sp create --id {}`.",
                microsoft.marketplace_app_id()
            ),
            "Entra > Enterprise applications",
        ),
        (
            7_000_112,
            "The app is disabled. Let users sign in to it.".to_owned(),
            "Entra > Enterprise applications > the app > Properties",
        ),
    ];
    for (code, says, place) in advice {
        if codes.contains(&code) {
            return failed(format!("{says} Entra's code is AADSTS{code}."), place);
        }
    }
    let numbers: Vec<_> = codes.iter().map(|code| format!("AADSTS{code}")).collect();
    let numbers = if numbers.is_empty() { "no code".to_owned() } else { numbers.join(", ") };
    failed(
        format!("Entra refuses the app with {numbers}. Microsoft's page about it says why."),
        APP,
    )
}

fn list(microsoft: &Microsoft, error: Option<&FulfillmentError>) -> Finding {
    let (tenant, app) = microsoft.app();
    let Some(error) = error else {
        return Finding::ok(LIST, "Microsoft lists the subscriptions.");
    };
    match error {
        FulfillmentError::Token(_) => {
            Finding::unknown(LIST, format!("Microsoft is not asked without a token; see {TOKEN}."))
        }
        FulfillmentError::Unauthorized(status) => Finding::failed(
            LIST,
            format!(
                "Microsoft refuses the app's token with {status}. The technical configuration must \
                 name the tenant {tenant} and the app {app}, the same for all of your offers; \
                 publish the offer after a change."
            ),
            TECHNICAL,
        ),
        FulfillmentError::Unavailable { .. }
        | FulfillmentError::Unreachable { .. }
        | FulfillmentError::Malformed(_) => Finding::failed(
            LIST,
            format!("{error}. Examine again in a few minutes, and check the address."),
            "Parameter MarketplaceUrl",
        ),
        FulfillmentError::Misaddressed(_)
        | FulfillmentError::Refused(_)
        | FulfillmentError::NotFound(_)
        | FulfillmentError::Conflict(_) => Finding::failed(
            LIST,
            format!(
                "Microsoft has no such list at the address: {error}. Compare it with Microsoft's."
            ),
            "Parameter MarketplaceUrl",
        ),
    }
}
