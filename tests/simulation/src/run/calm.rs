//! The calm after a storm, and what must hold then.

use std::time::Duration;

use serde_json::json;

use super::Run;
use crate::invariants;
use crate::io::Plan;
use crate::product::Mood;

impl Run {
    /// The storm passes: what was sent arrives, what failed is repeated, and the reconciliation
    /// runs; then both sides must hold the same.
    pub fn calm(&mut self) {
        self.io.note(|| "--- the storm has passed".to_owned());
        self.io.plan(Plan::Calm);
        self.io.world(|world| {
            world.settings_mut().behaviour.stale_reads = None;
            world.faults_mut().clear();
            world.advance(Duration::from_secs(61));
        });
        // Microsoft repeats for eight hours; the emulator every minute.
        for _ in 0..600 {
            self.send_due();
            while !self.in_transit.is_empty() {
                self.arrive(0);
                self.finish();
            }
            self.finish();
            if self.io.world(|world| world.next_delivery_due()).is_none() {
                break;
            }
            self.io.world(|world| world.advance(Duration::from_secs(61)));
        }
        self.tell_what_waits();
        for _ in 0..3 {
            self.io.world(|world| world.advance(Duration::from_secs(10 * 60)));
            self.finished = false;
            for _ in 0..100 {
                if self.finished {
                    break;
                }
                self.start_reconciliation();
                self.finish();
            }
            if !self.finished {
                self.io.violate("the reconciliation never finished".to_owned());
            }
            self.send_due();
            while !self.in_transit.is_empty() {
                self.arrive(0);
                self.finish();
            }
        }
        self.tell();
        self.only_rejected_are_refused();
        invariants::of_calm(&self.io, &self.table, &self.confirmed, &self.received);
        self.a_calm_run_writes_nothing();
    }

    /// The stream tells all it has to.
    fn tell(&mut self) {
        for _ in 0..100 {
            self.start_telling(usize::MAX);
            if self.tasks.len() == 0 {
                return;
            }
            self.finish();
        }
        self.io.violate("the stream never ended".to_owned());
    }

    /// The product is well again, and hears of what it hasn't taken.
    fn tell_what_waits(&mut self) {
        self.io.product(|product| product.mood = Mood::Well);
        self.tell();
        // What it hasn't taken for a week is told again when somebody asks.
        for (id, _) in self.table.outbox(|outbox| outbox.parked()) {
            self.redeliver(id.0, &json!({}));
            self.finish();
        }
        for _ in 0..3 {
            // Beyond the longest pause between two attempts.
            self.io.world(|world| world.advance(Duration::from_secs(2 * 60 * 60)));
            self.start_sweep();
            self.finish();
        }
    }

    /// An unchanged publisher costs no write but the checkpoint's, one a page.
    fn a_calm_run_writes_nothing(&mut self) {
        let before = self.table.writes();
        self.start_reconciliation();
        self.finish();
        let writes = self.table.writes() - before;
        if writes > 0 {
            self.io
                .violate(format!("a reconciliation with nothing to repair wrote {writes} times"));
        }
    }
}
