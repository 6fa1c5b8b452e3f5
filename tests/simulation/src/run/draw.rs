//! What a seed draws before its storm: how Microsoft behaves, and how the publisher is set up.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shared::domain::Verdict;

use super::{Run, behaviour, hosting, world};
use crate::choices::Choices;
use crate::io::Io;
use crate::product::Opinion;
use crate::skew::Skew;
use crate::storm::Theme;

/// How long the emulator's Entra hands out the same token. Signing takes most of a run's time, so
/// many seeds share a token. The price: a token stays valid for longer than it claims.
const ISSUING_INTERVAL: Duration = Duration::from_secs(6 * 60 * 60);

/// With any theme, one seed in so many runs the store that ships, over DynamoDB's wire. Such a seed
/// takes several times as long.
const ON_DYNAMODB: u32 = 32;

/// With any theme, one seed in so many has sign-in on. Entra's signature of an id token takes as long
/// as a tenth of another seed.
const SIGN_IN_SEEDS: u32 = 48;

impl Run {
    /// Starts a run without faults and without purchases.
    ///
    /// # Panics
    /// Never: the settings are complete.
    pub fn new(seed: u64, keep_history: bool) -> Self {
        let io = Io::new(world(), seed, keep_history);
        io.world(|world| world.entra().set_issuing_interval(ISSUING_INTERVAL));
        let way = Theme::way(seed);
        io.decide(|rng| io.world(|world| behaviour::draw(rng, world.settings_mut(), way)));
        if Theme::of(seed) == Some(Theme::Rejections) {
            // A revert asks for the value that is still in force.
            let ends_in_conflict = io.decide(|rng| rng.random());
            io.world(|world| world.settings_mut().behaviour.conflict_in_force = ends_in_conflict);
        }
        io.world(|world| {
            let lifetime = world.settings().behaviour.token_lifetime;
            world.entra().set_token_lifetime(lifetime);
        });
        io.note(|| {
            io.world(|world| {
                let settings = world.settings();
                format!("{:?} {:?}", settings.behaviour, settings.oddities)
            })
        });
        // A publisher that rejects shows what Microsoft makes of rejections.
        let rejects = io.world(|world| {
            let behaviour = &world.settings().behaviour;
            behaviour.failure_is_ignored || behaviour.conflict_in_force
        });
        let (mut choices, mut opinion) = io.decide(|rng| {
            let asks = rng.random_ratio(1, 4);
            let choices = Choices {
                rejects: rng.random_ratio(1, 3) || rejects,
                by_publisher: rng.random_ratio(1, 4),
                asks,
                fallback: rng
                    .random_ratio(1, 3)
                    .then(|| if rng.random() { Verdict::Accept } else { Verdict::Reject }),
                rules: rng.random_ratio(1, 4),
                signs_in: rng.random_ratio(1, SIGN_IN_SEEDS),
                ..Choices::default()
            };
            (choices, asks.then(|| Opinion::Differs(rng.random())))
        });
        let mut rng = SmallRng::seed_from_u64(io.decide(|rng| rng.random()));
        let theme = Theme::of(seed);
        let (hosting, skew) = hosting::draw(&mut rng, theme, &mut choices);
        // People who sign in buy for themselves.
        let may_have_customers = theme.is_none() && !choices.signs_in;
        choices.has_customers = may_have_customers && rng.random_ratio(1, 4);
        choices.announces_import = rng.random_ratio(1, 3);
        io.set_skew(skew);
        io.note(|| format!("theme: {theme:?}"));
        if let Some(theme) = theme {
            theme.choose(&mut choices, &mut opinion);
        }
        io.note(|| format!("{choices:?} {hosting:?} {skew:?}"));
        let mut run = Self { theme, hosting, ..Self::with(io, choices, opinion) };
        let is_drawn = run.io.decide(|rng| rng.random_ratio(1, ON_DYNAMODB));
        if is_drawn || theme == Some(Theme::DynamoDb) {
            // The client's deadline goes by Microsoft's clock.
            run.io.set_skew(Skew::default());
            run.publisher.use_dynamodb();
        }
        run
    }
}
