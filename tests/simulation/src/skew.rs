//! How far the clocks of the publisher's hosts differ from Microsoft's, and from each other.
//!
//! Everything else holds with clocks that differ by minutes. These depend on them:
//!
//! | what | because |
//! |---|---|
//! | a past state is recorded once more, until the next read | a function whose clock is ahead takes a late read for one that came after the settling window |
//! | a change that the record has shown is taken back, until the next read or the reconciliation | the same |
//! | a reinstatement is recorded while the suspension goes on | the same, with a late read of the time before the suspension |
//! | a back-off ends earlier or later | another host compares its own clock with the time of the next attempt |

use jiff::SignedDuration;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use shared::domain::SETTLING_WINDOW;

use crate::host::Host;

/// The most that one of Microsoft's reads is late in a storm.
const MOST_LATE: SignedDuration = SignedDuration::from_secs(30);

/// The default: all clocks agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skew {
    /// The farthest that a clock is ahead or behind.
    pub(crate) most: SignedDuration,
    /// Chooses how far each clock is off.
    pub(crate) salt: u64,
}

impl Skew {
    /// How far this host's clock is ahead of Microsoft's. It stays the same for the whole run.
    pub(crate) fn of(self, host: Host) -> SignedDuration {
        self.drawn(1 + u64::from(host.environment) + 16 * host.function as u64)
    }

    /// How far the clock of the publisher's product is ahead of Microsoft's.
    pub(crate) fn of_product(self) -> SignedDuration {
        self.drawn(0)
    }

    /// Whether two hosts may differ so much that a late read seems to come after the settling window.
    pub(crate) fn hides_late_reads(self) -> bool {
        self.most * 2 + MOST_LATE > SETTLING_WINDOW
    }

    fn drawn(self, number: u64) -> SignedDuration {
        let most = self.most.as_millis() as i64;
        if most == 0 {
            return SignedDuration::ZERO;
        }
        let mut rng = SmallRng::seed_from_u64(self.salt ^ number);
        SignedDuration::from_millis(rng.random_range(-most..=most))
    }
}
