//! Runs of the reconciliation, slice after slice, as the schedule starts them.

use std::sync::Arc;
use std::time::Duration;

use delivery::Driver;
use jiff::SignedDuration;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use reconciliation::{Reconciliation, Report};
use shared::host::clock::Clock;

use crate::check::{Wrong, wrong};
use crate::clock::SimulatedClock;
use crate::host::{Host, Kill, Latency};
use crate::world::World;

/// The pause before a failed slice is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// How often the schedule starts a run.
const SCHEDULE: Duration = Duration::from_secs(60 * 60);

/// A run that takes more slices than this will never end.
const MOST_SLICES: u32 = 10_000;

/// What happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    pub slices: u32,
    pub killed: u32,
    pub failed: u32,
    /// Runs that ended.
    pub runs: u32,
    /// How long slices took, without the pauses between them.
    pub busy: SignedDuration,
}

/// A function, started by its schedule.
pub struct Schedule {
    world: Arc<World>,
    host: Arc<Host>,
    clock: Arc<dyn Clock>,
    rng: SmallRng,
    /// The execution environment that is warm.
    warm: Option<Reconciliation>,
    /// One slice in so many is killed.
    killed_one_in: Option<u32>,
    pub course: Course,
}

impl Schedule {
    pub fn new(
        world: &Arc<World>,
        seed: u64,
        latency: Latency,
        killed_one_in: Option<u32>,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::new(seed));
        Self {
            world: world.clone(),
            host: Host::new(world.clone(), clock.clone(), latency),
            clock,
            rng: SmallRng::seed_from_u64(seed),
            warm: None,
            killed_one_in,
            course: Course::default(),
        }
    }

    /// A slice ends at one of its first requests as often as at one of its thousandth.
    fn kill(&mut self) -> Option<Kill> {
        let one_in = self.killed_one_in?;
        self.rng.random_ratio(1, one_in).then(|| {
            let magnitude = 1 << self.rng.random_range(0..12_u32);
            Kill {
                request: self.rng.random_range(magnitude / 2..magnitude),
                after_effect: self.rng.random(),
            }
        })
    }

    /// Runs a slice. `None`: it was killed or failed.
    ///
    /// # Panics
    /// Never: the settings are complete.
    pub async fn slice(&mut self) -> Option<Report> {
        let kill = self.kill();
        // An environment may be given up between two slices as well.
        if self.killed_one_in.is_some() && self.rng.random() {
            self.warm = None;
        }
        let function = match self.warm.take() {
            Some(warm) => warm,
            None => self.host.start().expect("complete settings"),
        };
        let begun = self.clock.now();
        let ended = self.host.run(kill, function.slice()).await;
        self.course.slices += 1;
        self.course.busy += self.clock.now().duration_since(begun);
        let pause = match &ended {
            None => RETRY,
            Some(Err(_)) => RETRY,
            Some(Ok(report)) if report.finished => SCHEDULE,
            Some(Ok(_)) => Duration::ZERO,
        };
        self.clock.sleep(pause).await;
        if ended.is_some() {
            self.warm = Some(function);
        }
        match ended {
            None => self.course.killed += 1,
            Some(Err(_)) => self.course.failed += 1,
            Some(Ok(report)) => {
                self.course.runs += u32::from(report.finished);
                return Some(report);
            }
        }
        None
    }

    /// Runs slices until a run has ended. `None`: none did in so many slices.
    pub async fn run(&mut self, most: u32) -> Option<Report> {
        for _ in 0..most {
            if let Some(report) = self.slice().await.filter(|report| report.finished) {
                return Some(report);
            }
        }
        None
    }

    /// Runs the reconciliation until a run ended with everything as it should be, for so many runs at
    /// most. Returns what is wrong in the end.
    pub async fn until_right(&mut self, runs: u32) -> Wrong {
        for _ in 0..runs {
            let ended = self.run(MOST_SLICES).await;
            let wrong = wrong(&self.world);
            if ended.is_none() || wrong.count == 0 {
                return wrong;
            }
        }
        wrong(&self.world)
    }

    /// Delivers events until a sweep delivers none.
    ///
    /// # Panics
    /// Never: the settings are complete, and the table answers.
    pub async fn deliver(&self) {
        let delivery = self.host.start_delivery().expect("complete settings");
        loop {
            // Until the stream's head start is over.
            self.clock.sleep(SCHEDULE).await;
            let sweep = delivery.sweep(Driver::BesideTheStream);
            let report = self.host.run(None, sweep).await.expect("no kill");
            if report.expect("the table answers").delivered == 0 {
                return;
            }
        }
    }

    /// From now on, the host kills no slice.
    pub fn spare(&mut self) {
        self.killed_one_in = None;
    }
}
