//! The receivers of events, and how events are sent to them (`DELIVERY_*`).

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use jiff::SignedDuration;

use super::address::HttpsAddress;
use super::aws::{Aws, endpoint as aws_endpoint, table};
use super::endpoints::{self, Endpoints, NamedEndpoint};
use super::secret::SecretNames;
use crate::host::clock::Clock;
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;
use crate::publisher::receiver::ReceiverSettings;
use crate::store::{
    AnnotationStore, Attempts, Outbox, Pacing, Receivers, Sightings, Store, Target,
};

pub struct DeliverySettings {
    /// The `source` of every event.
    pub source: String,
    pub endpoints: Vec<EndpointSettings>,
    pub event_bus: Option<EventBusSettings>,
    /// How long a target may fail before its events are parked.
    pub park_after: SignedDuration,
    /// How fast events are sent to each receiver; `None` for no limit.
    pub rate_limit: Option<RateLimit>,
    /// Where the subscriptions are found that a new receiver has missed events of.
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub receivers: Arc<dyn Receivers>,
    pub annotations: Arc<dyn AnnotationStore>,
    pub attempts: Arc<dyn Attempts>,
    /// Whether the beginning of an answer's text is kept with an attempt that failed.
    pub keeps_attempt_text: bool,
    pub sightings: Arc<dyn Sightings>,
}

/// How fast events are sent to each receiver.
pub struct RateLimit {
    /// Events in a second.
    pub per_second: NonZeroU32,
    /// Where concurrent deliveries share it.
    pub pacing: Arc<dyn Pacing>,
}

/// An HTTPS endpoint of the publisher's.
pub struct EndpointSettings {
    pub receiver: ReceiverSettings,
    pub url: http::Uri,
    /// The signing keys: one, or two while one replaces the other.
    pub keys: ClientSecret,
    pub transport: Arc<dyn Transport>,
}

/// A bus of Amazon EventBridge.
pub struct EventBusSettings {
    /// Name or ARN.
    pub name: String,
    pub region: String,
    pub credentials: SharedCredentialsProvider,
    /// The service's address, where it isn't AWS's own.
    pub service: Option<String>,
    pub transport: Arc<dyn Transport>,
}

pub(super) const ENDPOINT: &str = "DELIVERY_ENDPOINT";

pub(super) const EVENT_BUS: &str = "DELIVERY_EVENT_BUS";

pub(super) const ENDPOINTS: &str = "DELIVERY_ENDPOINTS";

/// The receivers that the settings name, for a function that doesn't send to them.
pub(super) fn receivers(environment: &Environment) -> Result<Vec<ReceiverSettings>, ConfigError> {
    let unnamed = [(ENDPOINT, Target::Endpoint), (EVENT_BUS, Target::EventBus)];
    let unnamed = unnamed.into_iter().filter(|(name, _)| environment.get(name).is_some());
    let mut receivers: Vec<_> =
        unnamed.map(|(_, target)| ReceiverSettings::of_all(target)).collect();
    receivers.extend(named_endpoints(environment)?.into_iter().map(|endpoint| endpoint.receiver));
    Ok(receivers)
}

fn named_endpoints(environment: &Environment) -> Result<Vec<NamedEndpoint>, ConfigError> {
    const PURPOSE: &str = "endpoints with names, a JSON list of {\"name\": …, \"url\": …}";
    let Endpoints(named) = environment.parse_or(ENDPOINTS, Endpoints(Vec::new()), PURPOSE)?;
    if named.len() == endpoints::MOST && environment.get(ENDPOINT).is_some() {
        return Err(ConfigError {
            name: ENDPOINTS,
            problem: format!("and {ENDPOINT} are more than {} endpoints together", endpoints::MOST),
            purpose: PURPOSE,
        });
    }
    Ok(named)
}

const ENDPOINT_PURPOSE: &str = "the address that receives events, \
     as in https://api.example.com/marketplace; \
     or DELIVERY_ENDPOINTS, several addresses; or DELIVERY_EVENT_BUS, an EventBridge bus";

const KEYS: SecretNames = SecretNames {
    secret: "DELIVERY_SIGNING_KEY",
    arn: "DELIVERY_SIGNING_KEY_ARN",
    purpose: "the key that signs events, `whsec_` and base64; \
              or DELIVERY_SIGNING_KEY_ARN, where Secrets Manager keeps it",
};

const KEYS_BY_NAME: SecretNames = SecretNames {
    secret: "DELIVERY_SIGNING_KEYS",
    arn: "DELIVERY_SIGNING_KEYS_ARN",
    purpose: "a JSON object with the key of each of DELIVERY_ENDPOINTS by its name; \
              or DELIVERY_SIGNING_KEYS_ARN, where Secrets Manager keeps it",
};

/// In days. Beyond this, parked events would come near the end of their own lifetime.
const LONGEST_PARK_AFTER: i64 = 180;

struct Days(i64);

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(days @ 1..=LONGEST_PARK_AFTER) => Ok(Self(days)),
            Ok(_) | Err(_) => {
                Err(format!("is not a number of days from 1 to {LONGEST_PARK_AFTER}"))
            }
        }
    }
}

/// Events in a second; 0 for no limit. A slot of a receiver is reserved by a write to one item, which
/// DynamoDB allows a thousand times a second.
const HIGHEST_RATE: u32 = 1000;

struct PerSecond(u32);

impl FromStr for PerSecond {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(rate @ 0..=HIGHEST_RATE) => Ok(Self(rate)),
            Ok(_) | Err(_) => Err(format!("is not a number from 0 to {HIGHEST_RATE}")),
        }
    }
}

struct Switch(bool);

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err("is neither `on` nor `off`"),
        }
    }
}

impl DeliverySettings {
    /// `None` where no receiver is configured.
    pub fn read(
        environment: &Environment,
        transport: &Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, ConfigError> {
        let endpoints = all_endpoints(environment, transport)?;
        let event_bus = event_bus(environment, transport)?;
        let source = source(environment)?;
        const PARK: &str = "days for which events are sent again to a receiver that fails";
        let Days(days) = environment.parse_or("DELIVERY_PARK_AFTER_DAYS", Days(7), PARK)?;
        const RATE: &str =
            "the most events in a second that are sent to one receiver; 0 for no limit";
        let PerSecond(rate) = environment.parse_or("DELIVERY_RATE_LIMIT", PerSecond(0), RATE)?;
        const TEXT: &str = "whether the text of a receiver's answer is kept with an attempt that failed: \
             `on` or `off`";
        let Switch(keeps_attempt_text) =
            environment.parse_or("DELIVERY_ATTEMPT_TEXT", Switch(true), TEXT)?;
        if endpoints.is_empty() && event_bus.is_none() {
            return Ok(None);
        }
        let table = table(environment, transport, clock)?;
        let rate_limit =
            NonZeroU32::new(rate).map(|per_second| RateLimit { per_second, pacing: table.clone() });
        Ok(Some(Self {
            source,
            endpoints,
            event_bus,
            park_after: SignedDuration::from_hours(24 * days),
            rate_limit,
            store: table.clone(),
            outbox: table.clone(),
            receivers: table.clone(),
            annotations: table.clone(),
            attempts: table.clone(),
            keeps_attempt_text,
            sightings: table,
        }))
    }

    /// The same for a function that is useless without a receiver.
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

/// The one without a name, and those with names.
fn all_endpoints(
    environment: &Environment,
    transport: &Arc<dyn Transport>,
) -> Result<Vec<EndpointSettings>, ConfigError> {
    let mut all = Vec::from_iter(endpoint(environment, transport)?);
    let named = named_endpoints(environment)?;
    if named.is_empty() {
        KEYS_BY_NAME.mention(environment);
    }
    for NamedEndpoint { receiver, url } in named {
        let name = receiver.target.name();
        let keys = KEYS_BY_NAME.read_signing_keys_of(name, environment, transport)?;
        all.push(EndpointSettings { receiver, url, keys, transport: transport.clone() });
    }
    Ok(all)
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
    let receiver = ReceiverSettings::of_all(Target::Endpoint);
    Ok(Some(EndpointSettings { receiver, url, keys, transport: transport.clone() }))
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
