//! What DynamoDB does where its documentation leaves room, and when it refuses for a moment.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// How DynamoDB behaves in a run.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// A read without `ConsistentRead` is late by up to this.
    pub read_lag: Duration,
    /// An index is late by up to this.
    pub index_lag: Duration,
    /// How long an expired item stays: "typically within two days".
    pub expiry_delay: Duration,
    /// Items that fit on a page. DynamoDB ends a page after 1 MB.
    pub page_size: usize,
    /// One request in so many begins a trouble.
    pub trouble_one_in: Option<u32>,
}

impl Default for Behaviour {
    /// Never late, and never in trouble.
    fn default() -> Self {
        Self {
            read_lag: Duration::ZERO,
            index_lag: Duration::ZERO,
            expiry_delay: Duration::ZERO,
            page_size: 1000,
            trouble_one_in: None,
        }
    }
}

impl Behaviour {
    pub fn draw(rng: &mut SmallRng) -> Self {
        let mut one_of = |values: &[u64]| *values.choose(rng).expect("there are values");
        Self {
            read_lag: Duration::from_secs(one_of(&[1, 5, 30])),
            index_lag: Duration::from_secs(one_of(&[0, 1, 60])),
            expiry_delay: Duration::from_secs(one_of(&[0, 3600, 48 * 3600])),
            // No fewer than the events of one version.
            page_size: usize::try_from(one_of(&[8, 20, 1000])).expect("a small number"),
            trouble_one_in: Some(u32::try_from(one_of(&[10, 30, 100])).expect("a small number")),
        }
    }
}

/// What goes wrong with a series of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Batches leave keys or items unprocessed.
    Unprocessed,
    /// Requests are throttled.
    Throttled,
    /// The table's capacity is exceeded.
    ThroughputExceeded,
    /// DynamoDB fails before the effect.
    FailsBefore,
    /// DynamoDB fails after the effect.
    FailsAfter,
    /// Another transaction is working on an item.
    Conflict,
}

impl Trouble {
    pub(crate) const ALL: [Self; 6] = [
        Self::Unprocessed,
        Self::Throttled,
        Self::ThroughputExceeded,
        Self::FailsBefore,
        Self::FailsAfter,
        Self::Conflict,
    ];

    /// Whether requests for this operation can have the trouble.
    pub(crate) fn meets(self, operation: &str) -> bool {
        match self {
            Self::Unprocessed => matches!(operation, "BatchGetItem" | "BatchWriteItem"),
            Self::Conflict => {
                matches!(operation, "PutItem" | "UpdateItem" | "TransactWriteItems")
            }
            Self::Throttled | Self::ThroughputExceeded | Self::FailsBefore | Self::FailsAfter => {
                true
            }
        }
    }
}

/// Draws the lags, and the troubles that come in series.
pub(crate) struct Draws {
    pub behaviour: Behaviour,
    pub rng: SmallRng,
    /// The trouble, and for how many more requests it lasts.
    series: Option<(Trouble, u32)>,
}

impl Draws {
    pub(crate) fn new(behaviour: Behaviour, rng: SmallRng) -> Self {
        Self { behaviour, rng, series: None }
    }

    /// The trouble of the next request, which is for this operation. A calm table has none. A series
    /// goes on with the requests that can have its trouble.
    pub(crate) fn trouble(&mut self, operation: &str, is_calm: bool) -> Option<Trouble> {
        let one_in = self.behaviour.trouble_one_in.filter(|_| !is_calm);
        let Some(one_in) = one_in else {
            self.series = None;
            return None;
        };
        if self.series.is_none() && self.rng.random_ratio(1, one_in) {
            // Often unprocessed keys: only a part of the reads can have them.
            let is_unprocessed = self.rng.random_ratio(1, 4);
            let any = *Trouble::ALL.choose(&mut self.rng).expect("there are troubles");
            let trouble = if is_unprocessed { Trouble::Unprocessed } else { any };
            // The longest outlasts all repetitions of the store and of the SDK.
            let lasts = *[1, 3, 8, 24].choose(&mut self.rng).expect("there are numbers");
            self.series = Some((trouble, lasts));
        }
        let (trouble, lasts) = self.series.filter(|(trouble, _)| trouble.meets(operation))?;
        self.series = (lasts > 1).then_some((trouble, lasts - 1));
        Some(trouble)
    }

    /// The time that a read shows which may be late by up to `lag`.
    pub(crate) fn late(&mut self, now: Timestamp, lag: Duration) -> Timestamp {
        let lag = i64::try_from(lag.as_millis()).unwrap_or(i64::MAX);
        now - SignedDuration::from_millis(self.rng.random_range(0..=lag))
    }
}
