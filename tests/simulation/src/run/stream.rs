//! The table's stream: Lambda reads each shard in order, one batch at a time, and delivers a batch
//! again from its first failed record on.

use http::Request;
use rand::Rng;
use shared::domain::SubscriptionId;

use super::Run;
use super::purpose::{Batch, Purpose};

impl Run {
    /// All records about a subscription are in one shard.
    pub(crate) fn shard_of(&self, id: SubscriptionId) -> u8 {
        (id.0.as_u128() % u128::from(self.hosting.shards)) as u8
    }

    /// Hands at most `max` events of a random shard to the delivery. A shard has only one batch in
    /// progress, except that Lambda may start a batch twice.
    pub(crate) fn start_stream(&mut self, max: usize) {
        let shards = self.hosting.shards;
        let shard = if shards > 1 { self.io.decide(|rng| rng.random_range(0..shards)) } else { 0 };
        let is_twice = shards > 1 && self.io.decide(|rng| rng.random_ratio(1, 20));
        if let Some(batch) = self.start_batch(shard, max)
            && is_twice
        {
            self.io.count("stream: a batch started twice");
            self.start(Purpose::Stream(batch), Request::default());
        }
    }

    pub(crate) fn start_batch(&mut self, shard: u8, max: usize) -> Option<Batch> {
        let is_busy =
            |purpose: &Purpose| matches!(purpose, Purpose::Stream(batch) if batch.shard == shard);
        let others = self.tasks.purposes().filter(|other| matches!(other, Purpose::Stream(_)));
        let others = others.count();
        if self.tasks.purposes().any(is_busy) {
            return None;
        }
        let entries = self.table.take_stream(max, |id| self.shard_of(id) == shard);
        if entries.is_empty() {
            return None;
        }
        if others > 0 {
            self.io.count("stream: batches of several shards at once");
        }
        let batch = Batch { shard, entries };
        self.start(Purpose::Stream(batch.clone()), Request::default());
        Some(batch)
    }

    /// A batch ended. The shard goes on with what failed and what is behind it, and now and then
    /// with all of it again.
    pub(super) fn batch_ended(&mut self, batch: Batch, failures: &delivery::Failures) {
        let sent = batch.entries.len();
        let is_repeated = self.hosting.shards > 1 && self.io.decide(|rng| rng.random_ratio(1, 12));
        let again = if is_repeated {
            self.io.count("stream: a batch repeated");
            batch.entries
        } else {
            memory_store::retried(batch.entries, failures)
        };
        if !again.is_empty() && again.len() < sent {
            self.io.count("stream: a part of a batch failed");
        }
        self.table.put_back_to_stream(again);
    }

    /// Delivers everything in the stream.
    pub(super) fn drain_stream(&mut self) {
        for _ in 0..100 {
            for shard in 0..self.hosting.shards {
                self.start_batch(shard, usize::MAX);
            }
            if self.tasks.len() == 0 {
                return;
            }
            self.finish();
        }
        self.io.violate("the stream never ended".to_owned());
    }
}
