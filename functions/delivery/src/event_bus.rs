//! The publisher's bus in Amazon EventBridge.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::config::{BehaviorVersion, Region};
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_smithy_types::DateTime;
use shared::config::EventBusSettings;
use shared::host::clock::Clock;
use shared::host::http_client;
use shared::publisher::cloud_event::CloudEvent;
use shared::store::SentRequest;

use crate::receiver::{DeliveryError, Receiver, Sent};

/// EventBridge answers within milliseconds or not at all.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The `source` of EventBridge's entry, on which rules match. The event itself names the
/// subscription and the deployment.
const SOURCE: &str = "saas-fulfillment";

pub(crate) struct EventBus {
    client: Client,
    name: String,
    clock: Arc<dyn Clock>,
}

impl EventBus {
    pub(crate) fn new(settings: EventBusSettings, clock: Arc<dyn Clock>) -> Self {
        let EventBusSettings { name, region, credentials, service, transport } = settings;
        let mut config = aws_sdk_eventbridge::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http_client::for_aws(transport))
            .credentials_provider(credentials)
            .region(Region::new(region))
            .timeout_config(TimeoutConfig::builder().operation_timeout(TIMEOUT).build())
            // A failed event is retried like every other: later, and in order.
            .retry_config(RetryConfig::disabled());
        if let Some(service) = service {
            config = config.endpoint_url(service);
        }
        Self { client: Client::from_conf(config.build()), name, clock }
    }
}

#[async_trait]
impl Receiver for EventBus {
    async fn send(&self, event: &CloudEvent<'_>) -> Sent {
        let (body, begun) = (event.to_json(), self.clock.now());
        let outcome = self.put(event, &body).await;
        let sent = Sent::unanswered(outcome, self.clock.now().duration_since(begun));
        let shown = event.is_test().then(|| SentRequest { headers: BTreeMap::new(), body });
        Sent { request: shown, ..sent }
    }
}

impl EventBus {
    async fn put(&self, event: &CloudEvent<'_>, body: &str) -> Result<(), DeliveryError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(&event.kind)
            .detail(body)
            .time(DateTime::from_secs(event.time.as_second()))
            .build();
        let answer = self.client.put_events().entries(entry).send().await.map_err(|error| {
            DeliveryError::new(format!("the bus: {}", error.code().unwrap_or("no answer")))
        })?;
        // A status of 200 doesn't mean that the bus accepted the entry.
        match answer.entries().first() {
            Some(entry) if entry.event_id().is_some() => Ok(()),
            Some(entry) => {
                let code = entry.error_code().unwrap_or("not accepted");
                Err(DeliveryError::new(format!("the bus: {code}")))
            }
            None => Err(DeliveryError::new("the bus: no entry in the answer")),
        }
    }
}
