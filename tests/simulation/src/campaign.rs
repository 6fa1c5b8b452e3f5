//! Many seeds: on several threads, until the last one or a time limit, with a state to go on from.

mod progress;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::reached::Totals;
use crate::run::simulate;
pub use progress::{Progress, StateError};

/// How many seeds run between two looks at the time limit, and between two saved states. In release,
/// they take some seconds.
const BATCH: u64 = 1000;

/// The seeds to run, and how.
#[derive(Debug)]
pub struct Campaign {
    pub seeds: Range<u64>,
    pub threads: usize,
    /// Ends the campaign early, but not before its first batch of seeds.
    pub limit: Option<Duration>,
    /// The file that the campaign goes on from, and saves its progress to.
    pub state: Option<PathBuf>,
}

/// Why a campaign ended without success.
#[derive(Debug, Error)]
pub enum CampaignError {
    /// The first seed that violates an invariant.
    #[error("seed {0} violates an invariant")]
    Violated(u64),
    #[error(transparent)]
    State(#[from] StateError),
}

impl Campaign {
    /// Runs the seeds, and calls `report` after each batch.
    ///
    /// # Errors
    /// If a seed violates an invariant, or if the state can't be read, is another campaign's, or
    /// can't be saved.
    pub fn run(&self, report: impl Fn(&Progress)) -> Result<Progress, CampaignError> {
        let from = self.seeds.start;
        let state = self.state.as_deref().map(|file| progress::StateFile::new(file, from));
        let state = state.transpose()?;
        let saved = state.as_ref().map(|state| state.load()).transpose()?.flatten();
        let mut progress = saved.unwrap_or_else(|| Progress::none(from));
        let before = progress.elapsed;
        let begun = Instant::now();
        while progress.next < self.seeds.end {
            let end = self.seeds.end.min(progress.next + BATCH);
            let reached = self.run_batch(progress.next..end).map_err(CampaignError::Violated)?;
            progress.reached.merge(&reached);
            progress.next = end;
            progress.elapsed = before + begun.elapsed();
            if let Some(state) = &state {
                state.save(&progress)?;
            }
            report(&progress);
            if self.limit.is_some_and(|limit| begun.elapsed() >= limit) {
                break;
            }
        }
        Ok(progress)
    }

    /// Runs these seeds. The error is the first seed that violates an invariant.
    fn run_batch(&self, seeds: Range<u64>) -> Result<Totals, u64> {
        let next = AtomicU64::new(seeds.start);
        // Seeds after the first one that fails are not needed, but those before it are.
        let end = AtomicU64::new(seeds.end);
        let run_seeds = || {
            let mut totals = Totals::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= end.load(Ordering::Relaxed) {
                    return totals;
                }
                match simulate(seed, false) {
                    Ok(reached) => totals.add(&reached),
                    Err(_) => drop(end.fetch_min(seed, Ordering::Relaxed)),
                }
            }
        };
        let mut totals = Totals::default();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(run_seeds)).collect();
            for thread in threads {
                // A panic has printed the command that reproduces it.
                totals
                    .merge(&thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
        });
        let end = end.into_inner();
        if end < seeds.end { Err(end) } else { Ok(totals) }
    }
}
