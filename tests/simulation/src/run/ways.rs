//! How Microsoft's side behaves where its documents leave room: one way in one seed, another in the next.

use std::time::Duration;

use emulator::{LastLink, Oddities, Settings, TokenVersion, WebhookForm};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// What a seed has drawn.
#[derive(Debug)]
pub(super) struct Ways {
    /// Few, so that a list has several pages.
    page_size: usize,
    short_pages: bool,
    last_link: LastLink,
    activation_takes: Duration,
    activates_again: bool,
    token: TokenVersion,
    form: WebhookForm,
    not_found_is_400: bool,
    unknown_lists_nothing: bool,
    bare_arrays: bool,
    partner_update_fails: bool,
    old_term_on_renewal: bool,
    unauthorized: u16,
    oddities: Oddities,
}

impl Ways {
    /// Draws them.
    pub(super) fn drawn(rng: &mut SmallRng) -> Self {
        let last = [LastLink::Absent, LastLink::Empty, LastLink::Null];
        Self {
            page_size: *[1, 2, 100].choose(rng).expect("there are sizes"),
            short_pages: rng.random_ratio(1, 3),
            last_link: *last.choose(rng).expect("there are links"),
            activation_takes: Duration::from_secs(if rng.random() { 0 } else { 45 }),
            activates_again: rng.random_ratio(1, 4),
            token: if rng.random() { TokenVersion::V1 } else { TokenVersion::V2 },
            form: if rng.random_ratio(3, 4) { WebhookForm::Full } else { WebhookForm::Sparse },
            not_found_is_400: rng.random_ratio(1, 4),
            unknown_lists_nothing: rng.random_ratio(1, 4),
            bare_arrays: rng.random_ratio(1, 4),
            partner_update_fails: rng.random_ratio(1, 8),
            old_term_on_renewal: rng.random_ratio(1, 4),
            unauthorized: if rng.random() { 401 } else { 403 },
            oddities: Oddities {
                padded_strings: rng.random_ratio(1, 8),
                numbers_as_strings: rng.random_ratio(1, 8),
                extra_fields: rng.random_ratio(1, 8),
                null_person_ids: rng.random_ratio(1, 8),
                short_resolve: rng.random_ratio(1, 8),
                ..Oddities::default()
            },
        }
    }

    /// From now on Microsoft's side behaves so.
    pub(super) fn apply(self, settings: &mut Settings) {
        let behaviour = &mut settings.behaviour;
        behaviour.page_size = self.page_size;
        behaviour.short_pages = self.short_pages;
        behaviour.last_link = self.last_link;
        behaviour.activation_delay = self.activation_takes;
        behaviour.activate_again_succeeds = self.activates_again;
        behaviour.webhook_token = self.token;
        behaviour.webhook_form = self.form;
        behaviour.not_found_is_400 = self.not_found_is_400;
        behaviour.unknown_lists_no_operations = self.unknown_lists_nothing;
        behaviour.operations_as_array = self.bare_arrays;
        behaviour.partner_update_fails = self.partner_update_fails;
        behaviour.renew_carries_old_term = self.old_term_on_renewal;
        behaviour.unauthorized_status = self.unauthorized;
        settings.oddities = self.oddities;
    }
}
