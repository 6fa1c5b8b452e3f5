//! Starting functions: for a request, for a batch of the stream, by a schedule.

use std::ops::Range;

use bytes::Bytes;
use delivery::Driver;
use http::{HeaderMap, Method, Request, Uri};
use jiff::{SignedDuration, Timestamp};
use reconciliation::Report;
use shared::domain::SubscriptionId;
use shared::host::http::Principal;

use super::purpose::Purpose;
use super::{Outcome, Run};
use crate::host::Function;
use crate::io::Deeds;

/// No webhook call takes longer to arrive: by then Microsoft has stopped waiting for an answer, and
/// the call's token has expired.
const MAX_WEBHOOK_DELAY: SignedDuration = SignedDuration::from_mins(50);

impl Run {
    pub(crate) fn start(&mut self, purpose: Purpose, mut request: Request<Bytes>) {
        self.io.note(|| format!("> {}", purpose.describe()));
        match purpose {
            Purpose::Activate(id) => {
                self.activation_requested.insert(id);
            }
            // If the publisher activates, the buyer's confirmation alone must not.
            Purpose::Confirm(id) if !self.choices.by_publisher => {
                self.activation_requested.insert(id);
            }
            _ => {}
        }
        match purpose.function() {
            Function::Reconciliation => return self.start_slice(purpose),
            Function::Delivery => return self.start_delivery(purpose),
            Function::Landing | Function::Webhook | Function::Activation | Function::Management => {
            }
        }
        if let Some(principal) = purpose.principal() {
            request.extensions_mut().insert(Principal::new(principal.to_owned()));
        }
        if self.io.plans_overtaking() {
            self.last_request = Some((purpose.clone(), request.clone()));
        }
        let handler = self.publisher.handler(purpose.function());
        let handler = handler.expect("the settings are complete");
        let life = self.life(&purpose);
        let deeds = self.deeds(&purpose);
        let work = async move { Outcome::Answer(handler.handle(request).await) };
        let task = self.tasks.start(purpose, life, work);
        self.io.begin_deeds(task, deeds);
    }

    /// Where a function starts from.
    fn deeds(&self, purpose: &Purpose) -> Deeds {
        let mut deeds = Deeds::default();
        if let Purpose::Ask(ask) = purpose {
            deeds.version = self.table.record(SubscriptionId(ask.id)).map(|record| record.version);
            deeds.key_is_taken = self.io.key_is_taken(ask);
        }
        deeds
    }

    fn start_slice(&mut self, purpose: Purpose) {
        let reconciliation = self.publisher.reconciliation(purpose.host());
        let reconciliation = reconciliation.expect("the settings are complete");
        self.note_what_to_examine();
        let life = self.life(&purpose);
        self.tasks.start(purpose, life, async move {
            match reconciliation.slice().await {
                Ok(report) => Outcome::Slice(report),
                Err(_) => Outcome::Slice(Report::default()),
            }
        });
    }

    fn start_delivery(&mut self, purpose: Purpose) {
        let delivery = self.publisher.delivery(purpose.host());
        let records = match &purpose {
            Purpose::Stream(batch) => Some(memory_store::records(&batch.entries)),
            _ => None,
        };
        let life = self.life(&purpose);
        self.tasks.start(purpose, life, async move {
            match records {
                Some(records) => Outcome::Stream(delivery.stream(&records).await),
                None => {
                    // The next sweep finds what this one fails to send.
                    let _ = delivery.sweep(Driver::BesideTheStream).await;
                    Outcome::Sweep
                }
            }
        });
    }

    /// From now until the host ends a function, by the timeouts in `template.yaml`.
    fn life(&self, purpose: &Purpose) -> Range<Timestamp> {
        let seconds = match purpose.function() {
            Function::Webhook => 15,
            Function::Landing => 20,
            Function::Activation | Function::Management => 29,
            Function::Delivery => 60,
            Function::Reconciliation => 300,
        };
        let begun = self.io.now();
        begun..begun + SignedDuration::from_secs(seconds)
    }

    /// Starts a reconciliation unless one is running.
    pub(crate) fn start_reconciliation(&mut self) {
        if self.reconciling(0) {
            return;
        }
        self.start(Purpose::Reconcile(0), Request::new(Bytes::new()));
    }

    /// Starts a reconciliation beside one that is running: by hand, or after an execution of the
    /// schedule that is late.
    pub(crate) fn start_second_reconciliation(&mut self) {
        if self.reconciling(0) && !self.reconciling(1) {
            self.io.count("two reconciliations at once");
            self.start(Purpose::Reconcile(1), Request::new(Bytes::new()));
        }
    }

    fn reconciling(&self, environment: u8) -> bool {
        self.tasks
            .purposes()
            .any(|purpose| matches!(purpose, Purpose::Reconcile(other) if *other == environment))
    }

    pub(crate) fn start_sweep(&mut self) {
        self.start(Purpose::Sweep, Request::default());
    }

    /// Microsoft sends its due webhook calls, which are in transit until they arrive.
    pub(crate) fn send_due(&mut self) {
        self.io.world(|world| {
            let due = world.take_due_deliveries();
            self.in_transit.extend(due.into_iter().map(|dispatch| (world.now(), dispatch)));
        });
    }

    /// A webhook call arrives, unless it has been in transit for too long.
    pub(crate) fn arrive(&mut self, index: usize) {
        let (sent, dispatch) = self.in_transit.swap_remove(index);
        // Nor does a call arrive whose token expires soon.
        let lifetime = self.io.world(|world| world.settings().behaviour.token_lifetime);
        let half = SignedDuration::try_from(lifetime / 2).unwrap_or(MAX_WEBHOOK_DELAY);
        let longest = if half < SignedDuration::from_mins(30) { half } else { MAX_WEBHOOK_DELAY };
        if self.io.now().duration_since(sent) > longest {
            self.io.world(|world| world.delivery_answered(&dispatch, None));
            return;
        }
        let request = webhook(dispatch.headers.clone(), dispatch.body.clone());
        self.start(Purpose::Deliver(Box::new(dispatch)), request);
    }
}

pub(crate) fn webhook(headers: HeaderMap, body: Vec<u8>) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static("/webhook");
    *request.headers_mut() = headers;
    request
}
