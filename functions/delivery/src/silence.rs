//! Remembers receivers that let us wait, so that their events don't hold up those of the others: a
//! subscription occupies one of a few slots until the last of its receivers has answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use shared::host::clock::Clock;
use shared::store::Target;

/// A request without an answer counts if it took this long. One that is refused at once holds up nothing.
const LONG: SignedDuration = SignedDuration::from_secs(5);

/// How many such requests in a row make a receiver silent.
const MOST: u32 = 3;

/// For how long nothing is sent to a silent receiver. Then one request finds out whether it still is.
pub(crate) const REST: SignedDuration = SignedDuration::from_secs(60);

pub(crate) struct Silence {
    clock: Arc<dyn Clock>,
    /// Requests in a row that took long, and when the last one ended.
    waited: Mutex<BTreeMap<Target, (u32, Timestamp)>>,
}

impl Silence {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, waited: Mutex::default() }
    }

    /// A request to the receiver has ended.
    pub(crate) fn note(&self, target: Target, is_answered: bool, latency: SignedDuration) {
        let mut waited = self.waited.lock().unwrap_or_else(PoisonError::into_inner);
        if is_answered || latency < LONG {
            waited.remove(&target);
            return;
        }
        let (requests, last) = waited.entry(target).or_insert((0, Timestamp::MIN));
        *requests = requests.saturating_add(1);
        *last = self.clock.now();
    }

    pub(crate) fn is_silent(&self, target: Target) -> bool {
        let waited = self.waited.lock().unwrap_or_else(PoisonError::into_inner);
        waited.get(&target).is_some_and(|(requests, last)| {
            *requests >= MOST && self.clock.now().duration_since(*last) < REST
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug)]
    struct SetClock(Mutex<Timestamp>);

    #[async_trait]
    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            *self.0.lock().expect("no panic")
        }

        fn wall_time(&self) -> Timestamp {
            self.now()
        }

        async fn sleep(&self, _: Duration) {}

        fn new_id(&self) -> Uuid {
            Uuid::nil()
        }
    }

    #[test]
    fn a_receiver_that_never_answers_rests_and_is_tried_again() {
        let clock = Arc::new(SetClock(Mutex::new(Timestamp::UNIX_EPOCH)));
        let silence = Silence::new(clock.clone());
        let (crm, other) = ("crm".parse().expect("a name"), Target::Endpoint);
        for _ in 0..MOST {
            assert!(!silence.is_silent(crm));
            silence.note(crm, false, LONG);
            silence.note(other, false, SignedDuration::from_millis(3));
        }
        assert!(silence.is_silent(crm));
        assert!(!silence.is_silent(other), "one that refuses at once holds up nothing");
        *clock.0.lock().expect("no panic") += REST;
        assert!(!silence.is_silent(crm), "one request finds out");
        silence.note(crm, false, LONG);
        assert!(silence.is_silent(crm));
        silence.note(crm, true, LONG);
        assert!(!silence.is_silent(crm), "it has answered");
    }
}
