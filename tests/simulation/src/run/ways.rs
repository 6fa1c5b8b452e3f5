//! Microsoft's rare ways: most seeds have one or two of them, so that ordinary life goes on beside
//! each.

use std::num::NonZeroUsize;
use std::time::Duration;

use emulator::{FlatQuantity, ListEntries, Settings, WebhookForm};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// One way, with its own numbers.
type Way = fn(&mut SmallRng, &mut Settings);

/// The ways with their relative probabilities. Those that concern money and access are likelier.
const WAYS: [(Way, u32); 19] = [
    (failing_page, 3),
    (list_entries, 3),
    (unstable_order, 2),
    (|_, settings| settings.behaviour.failure_is_ignored = true, 4),
    (|_, settings| settings.behaviour.reinstate_obeys_failure = true, 1),
    (|_, settings| settings.behaviour.reinstates_early = true, 4),
    (late_start, 2),
    (late_in_the_list, 3),
    (|_, settings| settings.behaviour.auto_renew_by_clock = Some(true), 4),
    (|_, settings| settings.behaviour.webhook_form = WebhookForm::VeryOld, 2),
    (failing_activation, 2),
    (|_, settings| settings.behaviour.conflict_in_force = true, 3),
    (unknown_status, 2),
    (unknown_notice, 2),
    (|_, settings| settings.oddities.term_unit = Some("PAY".to_owned()), 1),
    (token_lifetimes, 1),
    (|_, settings| settings.behaviour.missing_plan = true, 2),
    (missing_values, 2),
    (late_resolve, 2),
];

/// Draws some ways, and adds this one.
pub(super) fn draw(rng: &mut SmallRng, settings: &mut Settings, certain: Option<u64>) {
    if let Some(number) = certain {
        let (way, _) = WAYS[usize::try_from(number % WAYS.len() as u64).expect("there are few")];
        way(rng, settings);
    }
    let many = *[0, 1, 1, 2].choose(rng).expect("there are numbers");
    for _ in 0..many {
        let (way, _) =
            WAYS.choose_weighted(rng, |(_, weight)| *weight).expect("weights are positive");
        way(rng, settings);
    }
}

fn failing_page(rng: &mut SmallRng, settings: &mut Settings) {
    small_pages(rng, settings);
    settings.behaviour.failing_page = Some(rng.random_range(0..3));
    settings.behaviour.failing_page_status = if rng.random_ratio(1, 3) { 400 } else { 500 };
}

/// So that a few subscriptions fill several pages.
fn small_pages(rng: &mut SmallRng, settings: &mut Settings) {
    settings.behaviour.page_size = rng.random_range(1..=2);
}

fn unstable_order(rng: &mut SmallRng, settings: &mut Settings) {
    small_pages(rng, settings);
    settings.behaviour.unstable_order = true;
}

fn list_entries(rng: &mut SmallRng, settings: &mut Settings) {
    small_pages(rng, settings);
    let ways = [
        ListEntries::SkippedBetweenPages,
        ListEntries::DoubledBetweenPages,
        ListEntries::DoubledOnPage,
    ];
    settings.behaviour.list_entries = *ways.choose(rng).expect("there are ways");
}

fn late_start(rng: &mut SmallRng, settings: &mut Settings) {
    settings.behaviour.operation_start_delay = seconds(rng, &[5, 60, 600]);
}

fn late_in_the_list(rng: &mut SmallRng, settings: &mut Settings) {
    settings.behaviour.operation_list_delay = seconds(rng, &[3, 30, 300]);
}

fn failing_activation(rng: &mut SmallRng, settings: &mut Settings) {
    settings.behaviour.activation_fails_every = NonZeroUsize::new(rng.random_range(1..=3));
}

fn unknown_status(_: &mut SmallRng, settings: &mut Settings) {
    let words = [("InProgress", "AwaitingPublisher"), ("NotStarted", "Queued")];
    settings.oddities.operation_words =
        words.map(|(usual, other)| (usual.to_owned(), other.to_owned())).into();
}

fn unknown_notice(rng: &mut SmallRng, settings: &mut Settings) {
    let word = *["Transfer", "Subscribe"].choose(rng).expect("there are words");
    settings.oddities.notice_beside_renewal = Some(word.to_owned());
}

fn token_lifetimes(rng: &mut SmallRng, settings: &mut Settings) {
    // Shorter than the time before its end at which a token is replaced (F-AUTH-5), or a day.
    settings.behaviour.token_lifetime = seconds(rng, &[240, 86_400]);
    settings.behaviour.purchase_token_lifetime = seconds(rng, &[1, 60]);
}

fn missing_values(rng: &mut SmallRng, settings: &mut Settings) {
    if rng.random() {
        settings.oddities.missing_dates = true;
    } else {
        let forms = [FlatQuantity::Null, FlatQuantity::Zero, FlatQuantity::EmptyText];
        settings.oddities.flat_quantity = *forms.choose(rng).expect("there are forms");
    }
}

fn late_resolve(rng: &mut SmallRng, settings: &mut Settings) {
    settings.behaviour.stale_resolve = Some(seconds(rng, &[5, 25]));
}

fn seconds(rng: &mut SmallRng, from: &[u64]) -> Duration {
    Duration::from_secs(*from.choose(rng).expect("there are times"))
}
