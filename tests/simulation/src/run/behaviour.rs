//! How Microsoft behaves where its documentation leaves room: each seed draws its own variant.

use std::time::Duration;

use emulator::{
    Behaviour, LastLink, ListEntries, Oddities, Plan, Settings, TokenVersion, WebhookForm, World,
};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::ways;
use crate::transport::ENTRA;

/// Microsoft's side. Its own ids are the same in every run, so that one signed token serves all
/// runs.
pub(crate) fn world() -> World {
    let settings = Settings {
        webhook_url: Some("http://publisher.sim/webhook".to_owned()),
        ..Settings::default()
    };
    let mut world = World::new(settings);
    world.entra().set_authority(ENTRA);
    // A change to this plan begins a term in the middle of another.
    let yearly = Plan { term_unit: "P1Y".into(), ..Plan::flat_rate("yearly", "Yearly", 490.0) };
    world.offers_mut()[0].plans.push(yearly);
    world
}

/// Draws Microsoft's behaviour. `way` is the number of a rare way that the seed is sure to have.
pub(super) fn draw(rng: &mut SmallRng, settings: &mut Settings, way: Option<u64>) {
    let behaviour = &mut settings.behaviour;
    let last = [LastLink::Absent, LastLink::Empty, LastLink::Null];
    // Small pages, so that a list has several of them.
    behaviour.page_size = *[1, 2, 100].choose(rng).expect("there are sizes");
    behaviour.short_pages = rng.random_ratio(1, 3);
    behaviour.last_link = *last.choose(rng).expect("there are links");
    behaviour.activation_delay = Duration::from_secs(if rng.random() { 0 } else { 45 });
    behaviour.activate_again_succeeds = rng.random_ratio(1, 4);
    behaviour.webhook_token = if rng.random() { TokenVersion::V1 } else { TokenVersion::V2 };
    behaviour.webhook_form =
        if rng.random_ratio(3, 4) { WebhookForm::Full } else { WebhookForm::Sparse };
    behaviour.not_found_is_400 = rng.random_ratio(1, 4);
    behaviour.unknown_lists_no_operations = rng.random_ratio(1, 4);
    behaviour.operations_as_array = rng.random_ratio(1, 4);
    behaviour.partner_update_fails = rng.random_ratio(1, 8);
    behaviour.renew_carries_old_term = rng.random_ratio(1, 4);
    behaviour.unauthorized_status = if rng.random() { 401 } else { 403 };
    let oddities = &mut settings.oddities;
    oddities.padded_strings = rng.random_ratio(1, 8);
    oddities.numbers_as_strings = rng.random_ratio(1, 8);
    oddities.extra_fields = rng.random_ratio(1, 8);
    oddities.null_person_ids = rng.random_ratio(1, 8);
    oddities.short_resolve = rng.random_ratio(1, 8);
    draw_further(&mut SmallRng::seed_from_u64(rng.clone().random()), settings, way);
}

/// Drawn from numbers of their own, so that a seed which found a bug is still the same run.
fn draw_further(rng: &mut SmallRng, settings: &mut Settings, way: Option<u64>) {
    let behaviour = &mut settings.behaviour;
    let delays = [0, 0, 0, 0, 0, 2, 2, 20];
    let delay = *delays.choose(rng).expect("there are delays");
    behaviour.operation_delay = Duration::from_secs(delay);
    behaviour.keeps_changes_only = rng.random_ratio(1, 4);
    settings.oddities.seats_only_if_requested = rng.random_ratio(1, 4);
    if rng.random_ratio(1, 4) {
        settings.oddities.operation_id_prefix = "change 1/%".to_owned();
    }
    ways::draw(rng, settings, way);
}

/// Ends what passes with the storm, so that both sides can be compared. Microsoft may never mend a
/// page that fails, or the form of what it sends.
pub(super) fn heal(behaviour: &mut Behaviour, oddities: &mut Oddities, mends_page: bool) {
    behaviour.stale_reads = None;
    behaviour.stale_list = None;
    behaviour.stale_resolve = None;
    behaviour.unstable_order = false;
    if behaviour.list_entries == ListEntries::SkippedBetweenPages {
        behaviour.list_entries = ListEntries::Once;
    }
    if mends_page {
        behaviour.failing_page = None;
    }
    // No term ends between the last reconciliation and the comparison.
    behaviour.auto_renew_by_clock = Some(false);
    oddities.missing_dates = false;
}
