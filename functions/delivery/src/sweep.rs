//! A sweep: it attempts what is due, and says what waits after it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::host::deadline;
use shared::store::{Due, STREAM_HEAD_START, Sighting, StoreError, Target};

use crate::states::States;
use crate::{Delivery, Driver, Limits, Report, Trigger, catch_up};

impl Delivery {
    pub(crate) async fn sweep_all(&self, driver: Driver) -> Result<Report, StoreError> {
        let begun = self.clock.now();
        let by = match driver {
            Driver::BesideTheStream => begun,
            Driver::Alone => begun + STREAM_HEAD_START,
        };
        let mut report = Report::default();
        let mut states = States::new();
        let ended = self.attempt_all(by, begun, &mut states, &mut report).await;
        self.summarise(&report, &states, begun, ended.as_ref().err()).await;
        if ended.is_ok() {
            self.noting.note(&Sighting::Sweep).await;
        }
        ended.map(|()| report)
    }

    /// Attempts what new receivers have missed and what is due by then, as long as there is time.
    async fn attempt_all(
        &self,
        by: Timestamp,
        begun: Timestamp,
        states: &mut States,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let limits = Limits::of(begun);
        *states = deadline::with_deadline(limits.end, self.states()).await?;
        self.tend(states, begun).await?;
        let first = Limits { last_start: begun + catch_up::BUDGET, ..limits };
        self.catch_up(states, first, report).await;
        self.attempt_due(by, states, limits, report).await?;
        self.catch_up(states, limits, report).await;
        Ok(())
    }

    /// Attempts everything that is due by then, as long as there is time.
    async fn attempt_due(
        &self,
        by: Timestamp,
        states: &States,
        limits: Limits,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let mut next = None;
        loop {
            let page = self.outbox.due(by, next.as_deref()).await?;
            let triggers = self.triggers(page.items, limits.last_start);
            report.subscriptions += triggers.len() as u64;
            let done = self.deliver_all(triggers, states, limits).await;
            report.delivered += done.delivered;
            report.refused += done.refused;
            report.cut_short += done.cut_short;
            report.failed += done.failed.len() as u64;
            next = page.next;
            if next.is_none() || self.is_over(limits) || report.cut_short > 0 {
                break;
            }
        }
        report.finished = next.is_none() && !self.is_over(limits) && report.cut_short == 0;
        Ok(())
    }

    /// Groups what is due by subscription. Where one cursor alone is due, the other receivers have nothing new.
    fn triggers(&self, due: Vec<Due>, slots_until: Timestamp) -> Vec<Trigger> {
        let mut triggers = BTreeMap::<_, (BTreeSet<u64>, BTreeSet<Target>)>::new();
        for due in due {
            match due {
                Due::Pending(id, version) => {
                    triggers.entry(id).or_default().0.insert(version);
                }
                Due::Cursor(id, target) if self.has(target) => {
                    triggers.entry(id).or_default().1.insert(target);
                }
                // The target is no longer configured.
                Due::Cursor(..) => {}
            }
        }
        let trigger = |(id, (pending, targets)): (_, (BTreeSet<u64>, BTreeSet<Target>))| {
            let is_alone = pending.is_empty() && targets.len() == 1;
            let only = targets.first().copied().filter(|_| is_alone);
            Trigger { id, pending, slots_until, only }
        };
        triggers.into_iter().map(trigger).collect()
    }
}
