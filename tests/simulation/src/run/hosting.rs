//! How the publisher's side is hosted: its receivers, its signing keys, the table's stream, and its
//! clocks. Each seed draws its own.

use jiff::SignedDuration;
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::choices::Choices;
use crate::product::Receivers;
use crate::skew::Skew;
use crate::storm::Theme;

/// The farthest that a clock is off. Two of them then differ by less than what a receiver tolerates
/// in a signature's timestamp, less the time on the way.
const MOST_SKEW: i64 = 118;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Hosting {
    /// The shards of the table's stream. Each has a batch of its own in progress.
    pub(crate) shards: u8,
    /// Whether the publisher replaces its signing keys now and then.
    pub(crate) rotates_keys: bool,
}

impl Default for Hosting {
    fn default() -> Self {
        Self { shards: 1, rotates_keys: false }
    }
}

/// Draws everything that is not Microsoft's. A storm about outages has all of it.
pub(super) fn draw(
    rng: &mut SmallRng,
    theme: Option<Theme>,
    choices: &mut Choices,
) -> (Hosting, Skew) {
    let has_all = theme == Some(Theme::Outages);
    choices.receivers = match rng.random_range(0..12) {
        _ if theme == Some(Theme::Endpoints) => Receivers::Several,
        0 => Receivers::EventBus,
        1 => Receivers::Both,
        2 => Receivers::Several,
        _ if has_all => Receivers::Both,
        _ => Receivers::Endpoint,
    };
    let rotates_keys = has_all || rng.random_ratio(1, 4);
    choices.keys_in_secrets_manager = rotates_keys && rng.random_ratio(1, 3);
    choices.park_after_days = *[1, 2, 7].choose(rng).expect("there are days");
    let hosting = Hosting { shards: rng.random_range(1..=3), rotates_keys };
    let most = if has_all || rng.random_ratio(1, 4) { rng.random_range(1..=MOST_SKEW) } else { 0 };
    (hosting, Skew { most: SignedDuration::from_secs(most), salt: rng.random() })
}
