//! Where the publisher's product hears of events.

use std::str::FromStr;
use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use jiff::SignedDuration;

use super::aws::{Aws, endpoint as aws_endpoint, table};
use super::secret::SecretNames;
use crate::host::clock::Clock;
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;
use crate::store::Outbox;

/// What events are told with, and to whom.
pub struct DeliverySettings {
    /// Who says so: the `source` of every event.
    pub source: String,
    /// The HTTPS endpoint.
    pub endpoint: Option<EndpointSettings>,
    /// The bus.
    pub event_bus: Option<EventBusSettings>,
    /// How long a target may take nothing before its events wait for somebody to ask for them.
    pub park_after: SignedDuration,
    /// The table.
    pub outbox: Arc<dyn Outbox>,
}

/// An endpoint of the publisher's product.
pub struct EndpointSettings {
    /// Where it is.
    pub url: http::Uri,
    /// What is signed with: one key, or two while one replaces the other.
    pub keys: ClientSecret,
    /// The way out.
    pub transport: Arc<dyn Transport>,
}

/// A bus of Amazon EventBridge.
pub struct EventBusSettings {
    /// Its name or ARN.
    pub name: String,
    /// Where it is.
    pub region: String,
    /// Who we are there.
    pub credentials: SharedCredentialsProvider,
    /// Where the service is, if it isn't AWS's own place.
    pub service: Option<String>,
    /// The way out.
    pub transport: Arc<dyn Transport>,
}

pub(super) const ENDPOINT: &str = "DELIVERY_ENDPOINT";

/// The setting that names the bus.
pub(super) const EVENT_BUS: &str = "DELIVERY_EVENT_BUS";

const ENDPOINT_PURPOSE: &str = "where your product takes events, as in https://api.example.com/marketplace; or DELIVERY_EVENT_BUS, the EventBridge bus they go to";

const KEYS: SecretNames = SecretNames {
    secret: "DELIVERY_SIGNING_KEY",
    arn: "DELIVERY_SIGNING_KEY_ARN",
    purpose: "what events are signed with, `whsec_` and base64; or DELIVERY_SIGNING_KEY_ARN, where Secrets Manager keeps it",
};

/// Beyond this, events that nobody took would come near the end of their own lives.
const LONGEST_PARK_AFTER: i64 = 180;

struct Days(i64);

impl FromStr for Days {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(days @ 1..=LONGEST_PARK_AFTER) => Ok(Self(days)),
            Ok(_) | Err(_) => Err("is not a number of days from 1 to 180"),
        }
    }
}

impl DeliverySettings {
    /// Reads all that is about telling events; `None` where nobody is to be told.
    pub fn read(
        environment: &Environment,
        transport: &Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, ConfigError> {
        let endpoint = endpoint(environment, transport)?;
        let event_bus = event_bus(environment, transport)?;
        let source = source(environment)?;
        const PARK: &str = "days for which a receiver that takes nothing is tried again";
        let Days(days) = environment.parse_or("DELIVERY_PARK_AFTER_DAYS", Days(7), PARK)?;
        if endpoint.is_none() && event_bus.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            source,
            endpoint,
            event_bus,
            park_after: SignedDuration::from_hours(24 * days),
            outbox: table(environment, transport, clock)?,
        }))
    }

    /// The same where somebody must be told.
    pub fn require(
        environment: &Environment,
        transport: &Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        Self::read(environment, transport, clock)?.ok_or_else(|| ConfigError {
            name: ENDPOINT,
            problem: "is not set".to_owned(),
            purpose: ENDPOINT_PURPOSE,
        })
    }
}

fn endpoint(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Option<EndpointSettings>, ConfigError> {
    let Some(address) = environment.get(ENDPOINT) else {
        KEYS.mention(environment);
        return Ok(None);
    };
    let keys = KEYS.read_signing_keys(environment, transport)?;
    let url = parse::<HttpsAddress>(ENDPOINT, &address, ENDPOINT_PURPOSE)?.0;
    Ok(Some(EndpointSettings { url, keys, transport: transport.clone() }))
}

/// An address that nobody on the way reads or changes what is sent to. On this machine, HTTP will do.
pub(super) struct HttpsAddress(pub(super) http::Uri);

impl FromStr for HttpsAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = url::Url::parse(text).map_err(|_| "is not an address")?;
        let is_loopback = match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            _ => return Err("must be https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold credentials; what is sent there is signed");
        }
        if url.fragment().is_some() {
            return Err("must not have a fragment");
        }
        url.as_str().parse().map(Self).map_err(|_| "is not an address")
    }
}

fn event_bus(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Option<EventBusSettings>, ConfigError> {
    const SERVICE: &str = "AWS_ENDPOINT_URL_EVENTBRIDGE";
    let Some(name) = environment.get(EVENT_BUS) else { return Ok(None) };
    let Aws { transport, credentials, region } = Aws::read(environment, transport)?;
    let service = aws_endpoint(environment, SERVICE)?;
    Ok(Some(EventBusSettings { name, region, credentials, service, transport }))
}

pub(super) fn source(environment: &Environment) -> Result<String, ConfigError> {
    const NAME: &str = "DELIVERY_SOURCE";
    const PURPOSE: &str =
        "the `source` of every event, an address or a name such as urn:example:marketplace";
    let source = environment.get(NAME).unwrap_or_else(|| "urn:saas-fulfillment".to_owned());
    match url::Url::parse(&source) {
        Ok(_) => Ok(source),
        Err(_) => {
            let problem = "is not a URI".to_owned();
            Err(ConfigError { name: NAME, problem, purpose: PURPOSE })
        }
    }
}
