//! The calm after a storm, and the checks that follow it.

use std::time::Duration;

use emulator::Settings;
use futures_util::FutureExt as _;
use rand::Rng;
use serde_json::json;
use shared::store::Receivers as _;

use super::Run;
use super::behaviour::heal;
use crate::fault::FaultPlan;
use crate::invariants::{self, Heard};
use crate::product::Product;

impl Run {
    /// Ends the storm: calls in transit arrive, and Microsoft repeats failed calls. In most seeds the
    /// reconciliation runs, and then both sides must agree in everything. In the others they must
    /// agree in what the webhook alone keeps.
    pub fn calm(&mut self) {
        self.io.note(|| "--- the storm has passed".to_owned());
        self.io.set_plan(FaultPlan::Calm);
        let page_fails = self.io.world(|world| world.settings().behaviour.failing_page.is_some());
        let mends_page = page_fails && self.io.decide(|rng| rng.random());
        self.io.world(|world| {
            let Settings { behaviour, oddities, .. } = world.settings_mut();
            heal(behaviour, oddities, mends_page);
            world.faults_mut().clear();
            world.advance(Duration::from_secs(61));
        });
        // A slice that is running may read the whole list from now on.
        if mends_page {
            self.hidden_since = None;
        }
        // Microsoft repeats a failed call for eight hours; the emulator does it every minute.
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
        self.deliver_backlog();
        if self.reconciles {
            self.reconcile();
            self.drain_stream();
            self.deliver_import();
            self.check_refusals_were_ours();
            let heard = Heard {
                confirmed: &self.confirmed,
                received: &self.received,
                answered: &self.answered,
            };
            invariants::check_calm(&self.io, &self.table, heard);
            self.check_idle_run_writes_nothing();
        } else {
            invariants::check_without_reconciliation(&self.io, &self.table, &self.answered);
        }
        self.check_erasures_last();
    }

    /// The reconciliation repairs what the storm has left.
    fn reconcile(&mut self) {
        for _ in 0..3 {
            self.io.world(|world| world.advance(Duration::from_secs(10 * 60)));
            self.finished = false;
            // A page that always fails ends five slices before the run goes on from the table's side.
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
    }

    /// The receivers are healthy again and receive the events they have missed.
    fn deliver_backlog(&mut self) {
        self.io.product(Product::recover);
        self.resume_receivers();
        self.drain_stream();
        // Parked events are sent only after a redelivery was requested.
        for (id, _) in self.table.all_parked() {
            self.redeliver(id.0, &json!({}));
            self.finish();
        }
        // A removed endpoint is noticed, removed, and its cursors deleted, each by a sweep of its own.
        for _ in 0..4 {
            // Longer than the longest pause between two attempts.
            self.io.world(|world| world.advance(Duration::from_secs(2 * 60 * 60)));
            self.start_sweep();
            self.finish();
        }
    }

    fn resume_receivers(&mut self) {
        let states = self.table.receivers().now_or_never();
        let states = states.expect("a table in memory never waits").unwrap_or_default();
        for (target, _) in states.into_iter().filter(|(_, state)| state.paused.is_some()) {
            self.resume_receiver(target);
            self.finish();
        }
    }

    /// The stream leaves the events of an import to the sweep.
    fn deliver_import(&mut self) {
        if self.choices.announces_import {
            self.io.world(|world| world.advance(Duration::from_secs(121)));
            self.start_sweep();
            self.finish();
        }
    }

    /// A reconciliation that finds no difference writes only its checkpoint, once per page.
    fn check_idle_run_writes_nothing(&mut self) {
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
