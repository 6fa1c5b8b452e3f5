//! The storm: people, Microsoft and strangers act at random while faults strike.

mod asks;
mod customers;
mod endpoints;
mod happening;
mod people;
mod receivers;
mod requests;
mod strangers;
mod theme;

use std::time::Duration;

use emulator::{Action, Purchase};
use http::Method;
use rand::Rng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::seq::IndexedRandom;
use serde_json::json;
use shared::domain::{OwnRequest, SubscriptionId};
use uuid::Uuid;

use crate::fault::FaultPlan;
use crate::reached::words;
use crate::run::{Purpose, Run};
use happening::Happening;
pub use theme::Theme;

/// Purchases per run. With so few, many things happen to each of them.
const MAX_PURCHASES: usize = 3;

impl Run {
    pub fn storm(&mut self) {
        let theme = self.theme;
        let weights = Happening::WEIGHTS.map(|(happening, ordinary)| match happening {
            Happening::PersonChanges if !self.choices.signs_in => 0,
            _ => theme.map_or(ordinary, |theme| theme.weight(happening, ordinary)),
        });
        let odds = WeightedIndex::new(weights).expect("weights are positive");
        // More happens at each step of a storm with a theme.
        let steps = if theme.is_some() { 80..160 } else { 50..400 };
        let steps = self.io.decide(|rng| rng.random_range(steps));
        if let Some(theme) = theme {
            self.begin(theme);
        }
        if self.choices.has_customers {
            self.customers_from_before();
        }
        for _ in 0..steps {
            let index = self.io.decide(|rng| odds.sample(rng));
            self.happen(Happening::WEIGHTS[index].0);
        }
    }

    /// Begins a storm with a theme: there are purchases, and most themes need active ones.
    fn begin(&mut self, theme: Theme) {
        for _ in 0..MAX_PURCHASES {
            self.purchase();
        }
        let ids: Vec<_> =
            self.io.world(|world| world.subscriptions().map(|state| state.id).collect());
        for id in ids {
            match theme {
                Theme::Deadlines | Theme::Landing => {}
                _ if self.choices.signs_in => self.sign_in_and_confirm(id),
                _ => self.confirm(id),
            }
        }
        self.finish();
        self.io.set_plan(theme.faults());
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Purchase => self.purchase(),
            Happening::Visit => {
                if let Some(id) = self.any() {
                    if self.choices.signs_in { self.person_looks(id) } else { self.open(id) }
                }
            }
            Happening::Confirm => {
                if let Some(id) = self.any() {
                    if self.choices.signs_in { self.person_confirms(id) } else { self.confirm(id) }
                }
            }
            Happening::PersonChanges => {
                if let Some(id) = self.any() {
                    self.person_changes(id);
                }
            }
            Happening::ChangePlan
            | Happening::ChangeQuantity
            | Happening::Revert
            | Happening::Renew
            | Happening::Suspend
            | Happening::Reinstate
            | Happening::Unsubscribe
            | Happening::ToggleRenewal
            | Happening::RepeatNotice => self.microsoft_acts(happening),
            Happening::PublisherChanges => self.publisher_changes(),
            Happening::PublisherRepeatsChange => self.publisher_repeats_change(),
            Happening::PublisherObserves => {
                if let Some(id) = self.any() {
                    self.call(Purpose::Manage, Method::POST, &format!("{id}/observe"), "");
                }
            }
            Happening::PublisherAnnotates => {
                if let Some(id) = self.any() {
                    let number = self.io.decide(|rng| rng.random_range(0..4_u8));
                    let (reference, key) = (format!("C-{number}"), number.to_string());
                    let (method, path, body) = match number {
                        // An erasure must find the sign of an address nowhere.
                        0 => (Method::POST, format!("{id}/notes"), json!({ "text": "ask @adele" })),
                        _ => {
                            let metadata = json!({ key: reference });
                            let patch = json!({ "reference": reference, "metadata": metadata });
                            (Method::PATCH, id.to_string(), patch)
                        }
                    };
                    self.call(Purpose::Manage, method, &path, &body.to_string());
                }
            }
            Happening::PublisherErases => {
                if let Some(id) = self.any() {
                    self.erase(id);
                }
            }
            Happening::PublisherCancels => self.publisher_cancels(),
            Happening::PublisherActivates => self.publisher_activates(),
            Happening::Send => self.send_due(),
            Happening::Arrive => {
                let calls = self.in_transit.len();
                if calls > 0 {
                    let index = self.io.decide(|rng| rng.random_range(0..calls));
                    self.arrive(index);
                }
            }
            Happening::Duplicate => {
                self.io.count("storm: call doubled");
                self.io.world(|world| world.duplicate_next_delivery());
            }
            Happening::Lose => {
                self.io.count("storm: due calls lost");
                self.io.note(|| "* what is due is lost".to_owned());
                self.io.world(|world| world.lose_deliveries());
            }
            Happening::Forge => self.forge(),
            Happening::Reconcile => self.start_reconciliation(),
            Happening::ReconcileTwice => self.start_second_reconciliation(),
            Happening::Stream => {
                let max = self.io.decide(|rng| rng.random_range(1..=10));
                self.start_stream(max);
            }
            Happening::Sweep => self.start_sweep(),
            Happening::Redeliver => {
                if let Some(id) = self.any() {
                    let from = self.io.decide(|rng| {
                        let version = rng.random_range(1..=5);
                        if rng.random() { json!({ "fromVersion": version }) } else { json!({}) }
                    });
                    self.redeliver(id, &from);
                }
            }
            Happening::ReceiverHealth => self.receiver_health(),
            Happening::ChangeEndpoints => self.change_endpoints(),
            Happening::PauseReceiver => self.pause_receiver(),
            Happening::FailInsideAVersion => self.fail_inside_a_version(),
            Happening::OvertakeADelivery => self.overtake_a_delivery(),
            Happening::RotateSigningKeys => self.rotate_signing_keys(),
            Happening::Turn => self.turn(),
            Happening::Rest => self.finish(),
            Happening::Seconds => self.wait(1, 20),
            Happening::Minutes => self.wait_out(60, 3600),
            Happening::Days => {
                let renews = self.io.world(|world| world.settings().behaviour.auto_renew_by_clock);
                // Where terms end by the clock, some end within the storm.
                let most = if renews == Some(true) { 40 } else { 12 };
                self.wait_out(86_400, most * 86_400);
            }
            Happening::StaleReads => {
                let late = self.io.decide(|rng| Duration::from_secs(rng.random_range(1..30)));
                let listed = late * 10;
                self.io.count("storm: late reads");
                self.io.note(|| format!("* reads are {late:?} late, the list {listed:?}"));
                self.io.world(|world| {
                    world.settings_mut().behaviour.stale_reads = Some(late);
                    world.settings_mut().behaviour.stale_list = Some(listed);
                });
            }
            Happening::FreshReads => {
                self.fresh_since = self.io.now();
                self.io.world(|world| {
                    world.settings_mut().behaviour.stale_reads = None;
                    world.settings_mut().behaviour.stale_list = None;
                });
            }
            Happening::PageFails => self.page_fails(),
            Happening::PageMends => self.page_mends(),
            // Entra publishes a key before it signs with it, for longer than our key fetches cool
            // down.
            Happening::RotateKeys => {
                self.io.count("storm: keys rotated");
                self.io.world(|world| {
                    world.entra().rotate_keys();
                    world.advance(Duration::from_secs(61));
                });
            }
            Happening::FaultRate => {
                let plan = self.io.decide(|rng| match rng.random_range(0..3) {
                    0 => FaultPlan::Calm,
                    1 => FaultPlan::Storm(rng.random_range(20..60)),
                    _ => FaultPlan::Storm(rng.random_range(4..12)),
                });
                self.io.note(|| format!("* faults: {plan:?}"));
                self.io.set_plan(plan);
            }
        }
    }

    /// Waits so long that every running function ends. Most times it runs them to their own end
    /// first; otherwise their hosts end them at their timeouts.
    fn wait_out(&mut self, least: u64, most: u64) {
        if self.io.decide(|rng| rng.random_ratio(3, 4)) {
            self.finish();
        }
        self.wait(least, most);
    }

    fn wait(&mut self, least: u64, most: u64) {
        let pause = self.io.decide(|rng| Duration::from_secs(rng.random_range(least..=most)));
        self.io.world(|world| world.advance(pause));
        self.io.note(|| format!("* {pause:?} pass"));
    }

    /// A page of the list fails, for a while or for good.
    fn page_fails(&mut self) {
        let (place, size, refuses) = self.io.decide(|rng| {
            (rng.random_range(0..MAX_PURCHASES), rng.random_range(1..=2), rng.random_ratio(1, 3))
        });
        let status = if refuses { 400 } else { 500 };
        self.io.count("storm: a page fails");
        self.io.note(|| {
            format!("* the page with the place {place} fails with {status}, of pages of {size}")
        });
        self.io.world(|world| {
            let behaviour = &mut world.settings_mut().behaviour;
            behaviour.page_size = size;
            behaviour.failing_page = Some(place);
            behaviour.failing_page_status = status;
        });
        self.hidden_since = None;
    }

    fn page_mends(&mut self) {
        let failing = self.io.world(|world| world.settings_mut().behaviour.failing_page.take());
        if failing.is_some() {
            self.io.count("storm: a failing page is mended");
            self.io.note(|| "* no page fails any more".to_owned());
        }
        self.hidden_since = None;
    }

    fn purchase(&mut self) {
        let purchase = self.io.decide(|rng| match rng.random_range(0..10) {
            0..4 => Purchase::per_seat("basic", rng.random_range(1..=50)),
            4..7 => Purchase::flat_rate("silver"),
            7 => Purchase::flat_rate("trial").free_trial(),
            8 => Purchase::per_seat("team", rng.random_range(5..=50)).by_reseller(),
            _ => Purchase::flat_rate("auto").auto_activated(),
        });
        let number = self.io.world(|world| world.subscriptions().count());
        let purchase = match self.choices.signs_in {
            true => self.io.decide(|rng| people::by_a_person(rng, purchase, number)),
            false => purchase,
        };
        let bought = self.io.world(|world| {
            (world.subscriptions().count() < MAX_PURCHASES).then(|| {
                let id = world.purchase(purchase);
                (id, world.subscription(id).status == "Subscribed")
            })
        });
        if let Some((id, is_active)) = bought {
            self.io.count("microsoft: purchase");
            self.io.note(|| format!("* bought {id}"));
            if is_active {
                self.activated_by_microsoft(id);
            }
        }
    }

    /// A random subscription.
    pub(super) fn any(&self) -> Option<Uuid> {
        let ids: Vec<Uuid> =
            self.io.world(|world| world.subscriptions().map(|state| state.id).collect());
        self.io.decide(|rng| ids.choose(rng).copied())
    }

    fn microsoft_acts(&mut self, happening: Happening) {
        let Some(id) = self.any() else { return };
        let (plan, seats, again) = self.io.decide(|rng| {
            let plans = ["silver", "gold", "platinum", "yearly", "basic", "team"];
            let plan = (*plans.choose(rng).expect("there are plans")).to_owned();
            (plan, rng.random_range(1..=60), rng.random_ratio(1, 2))
        });
        // The customer may want what we asked for in vain.
        let ours = self.table.record(SubscriptionId(id)).filter(|_| again);
        let is_lost = |own: &OwnRequest| own.operation_id.is_none();
        let ours = ours.and_then(|record| record.own_requests.into_iter().find(is_lost));
        let (ours, our_seats) = ours.map_or((None, None), |own| (own.plan_id, own.quantity));
        let plan = ours.unwrap_or(plan);
        let seats = our_seats.and_then(|seats| u32::try_from(seats).ok()).unwrap_or(seats);
        let happened = self.io.world(|world| match happening {
            Happening::ChangePlan => world.change_plan(id, &plan).is_ok(),
            Happening::ChangeQuantity => world.change_quantity(id, seats).is_ok(),
            Happening::Revert => world.revert(id).is_ok(),
            Happening::Renew => world.renew(id).is_ok(),
            Happening::Suspend => world.suspend(id).is_ok(),
            Happening::Reinstate => world.reinstate(id).is_ok(),
            Happening::Unsubscribe => world.unsubscribe(id).is_ok(),
            Happening::ToggleRenewal => world.toggle_auto_renew(id).is_ok(),
            // The notice reports that the subscription is Subscribed, so it must be.
            _ => {
                world.subscription(id).status == "Subscribed"
                    && world.queue_notice(id, Action::Subscribe).is_ok()
            }
        });
        if happened {
            self.io.count(format!("microsoft: {}", words(happening)));
            self.io.note(|| format!("* {happening:?} of {id}"));
            // No two states of a subscription begin at the same time.
            self.io.world(|world| world.advance(Duration::from_millis(1)));
        }
    }

    /// The publisher's product activates a purchase that `ActivationRequested` reported.
    fn publisher_activates(&mut self) {
        if !self.choices.by_publisher {
            return;
        }
        let Some(id) = self.any() else { return };
        if self.io.decide(|rng| rng.random_ratio(1, 8)) {
            return self.publisher_declines(id);
        }
        self.call(Purpose::Activate(id), Method::POST, &format!("{id}/activate"), "");
    }
}
