//! Keeps the attempts that failed and those of test events, so that people see what a receiver answered.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shared::domain::{Event, SubscriptionId};
use shared::host::clock::Clock;
use shared::host::deadline::time_left;
use shared::host::http_client::UnreadBody;
use shared::publisher::cloud_event::CloudEvent;
use shared::store::{Attempt, Attempts, SentRequest, Store, StoreError, Target};
use tracing::warn;

use crate::answer_text::{MOST_READ, readable};
use crate::receiver::Sent;

/// How long the beginning of a body may take. The answer's status has counted by then.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was attempted.
#[derive(Clone, Copy)]
pub(crate) struct Attempted<'a> {
    pub(crate) event: &'a Event,
    pub(crate) sent_event: &'a CloudEvent<'a>,
    pub(crate) target: Target,
    /// When it began.
    pub(crate) at: Timestamp,
}

pub(crate) struct AttemptLog {
    attempts: Arc<dyn Attempts>,
    store: Arc<dyn Store>,
    keeps_text: bool,
    clock: Arc<dyn Clock>,
}

impl AttemptLog {
    pub(crate) fn new(
        attempts: Arc<dyn Attempts>,
        store: Arc<dyn Store>,
        keeps_text: bool,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { attempts, store, keeps_text, clock }
    }

    /// Keeps an attempt that failed. The outcome is recorded before: if this fails, the delivery goes on.
    pub(crate) async fn keep_failed(&self, attempted: &Attempted<'_>, sent: Sent) {
        if !attempted.event.is_test() {
            // Boxed, since seldom needed: the delivery's own future stays small.
            Box::pin(self.keep(attempted, sent, None)).await;
        }
    }

    /// Keeps an attempt of a test event, with what was sent, whether or not it was accepted. People look at it
    /// as soon as the outcome is recorded, so it is kept before.
    pub(crate) async fn keep_test(&self, attempted: &Attempted<'_>, sent: &mut Sent) {
        if attempted.event.is_test() {
            let (body, request) = (sent.body.take(), sent.request.take());
            let outcome = sent.outcome.clone();
            let sent = Sent { outcome, body, request: None, ..*sent };
            Box::pin(self.keep(attempted, sent, request)).await;
        }
    }

    async fn keep(&self, attempted: &Attempted<'_>, sent: Sent, request: Option<SentRequest>) {
        let Attempted { event, sent_event, target, at } = *attempted;
        let failure = sent.outcome.err();
        let id = event.subscription_id;
        let keeps_text = self.keeps_text && (event.is_test() || event.names_people());
        let attempt = Attempt {
            at,
            receiver: target.name().to_owned(),
            event_id: sent_event.id.clone(),
            event_type: sent_event.kind.clone(),
            status: sent.status.map(|status| status.as_u16()),
            latency_ms: u64::try_from(sent.latency.as_millis()).unwrap_or_default(),
            class: failure.as_ref().map(|failure| failure.class.name().to_owned()),
            reason: failure.map(|failure| failure.reason),
            answer: match sent.body {
                Some(body) if keeps_text => self.read(body).await,
                Some(_) | None => None,
            },
            request,
        };
        if let Err(error) = self.save(id, &attempt).await {
            warn!(
                subscription.id = %id, %error, class = error.class().name(),
                "could not keep an attempt"
            );
        }
    }

    async fn save(&self, id: SubscriptionId, attempt: &Attempt) -> Result<(), StoreError> {
        self.attempts.save_attempt(id, attempt).await?;
        // An erasure that was carried out during the attempt has not seen its text.
        if attempt.answer.is_some()
            && let Some(record) = self.store.load(id).await?
            && (record.is_erased() || record.is_erasing())
        {
            self.attempts.save_attempt(id, &attempt.without_text()).await?;
        }
        Ok(())
    }

    async fn read(&self, body: UnreadBody) -> Option<String> {
        let left = time_left(self.clock.now()).unwrap_or(PATIENCE);
        readable(&body.beginning(MOST_READ, left.min(PATIENCE)).await)
    }
}
