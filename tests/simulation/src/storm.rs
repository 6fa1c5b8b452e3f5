//! What people, Microsoft and chance do to a run.

use std::time::Duration;

use bytes::Bytes;
use emulator::{Forgery, Purchase, TokenVersion};
use http::{HeaderMap, HeaderValue, Method, Request, header};
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::io::Plan;
use crate::product::Mood;
use crate::run::{Purpose, Run, webhook};

/// Purchases in one run; few, so that things happen to the same one.
const PURCHASES: usize = 3;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Purchase,
    Visit,
    Confirm,
    ChangePlan,
    ChangeQuantity,
    Revert,
    Renew,
    Suspend,
    Reinstate,
    Unsubscribe,
    ToggleRenewal,
    NoticeAgain,
    PublisherChanges,
    PublisherChangesWithKey,
    PublisherLooks,
    PublisherCancels,
    PublisherActivates,
    Send,
    Arrive,
    Duplicate,
    Lose,
    Forge,
    Reconcile,
    Tell,
    Sweep,
    Redeliver,
    ProductsMood,
    Turn,
    Seconds,
    Minutes,
    Days,
    StaleReads,
    FreshReads,
    RotateKeys,
    Weather,
}

impl Happening {
    /// How likely each is, against the others.
    const WEIGHTS: [(Self, u32); 35] = [
        (Self::Purchase, 6),
        (Self::Visit, 4),
        (Self::Confirm, 8),
        (Self::ChangePlan, 6),
        (Self::ChangeQuantity, 6),
        (Self::Revert, 2),
        (Self::Renew, 3),
        (Self::Suspend, 4),
        (Self::Reinstate, 5),
        (Self::Unsubscribe, 1),
        (Self::ToggleRenewal, 1),
        (Self::NoticeAgain, 1),
        (Self::PublisherChanges, 3),
        (Self::PublisherChangesWithKey, 4),
        (Self::PublisherLooks, 2),
        (Self::PublisherCancels, 1),
        (Self::PublisherActivates, 3),
        (Self::Send, 12),
        (Self::Arrive, 20),
        (Self::Duplicate, 2),
        (Self::Lose, 1),
        (Self::Forge, 3),
        (Self::Reconcile, 3),
        (Self::Tell, 10),
        (Self::Sweep, 3),
        (Self::Redeliver, 1),
        (Self::ProductsMood, 2),
        (Self::Turn, 90),
        (Self::Seconds, 10),
        (Self::Minutes, 5),
        (Self::Days, 1),
        (Self::StaleReads, 1),
        (Self::FreshReads, 2),
        (Self::RotateKeys, 1),
        (Self::Weather, 2),
    ];
}

impl Run {
    /// Everything happens, in any order.
    pub fn storm(&mut self) {
        let steps = self.io.decide(|rng| rng.random_range(50..400));
        for _ in 0..steps {
            let happening = self.io.decide(|rng| {
                Happening::WEIGHTS
                    .choose_weighted(rng, |(_, weight)| *weight)
                    .expect("weights are positive")
                    .0
            });
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Purchase => self.purchase(),
            Happening::Visit => {
                if let Some(id) = self.any() {
                    self.open(id);
                }
            }
            Happening::Confirm => {
                if let Some(id) = self.any() {
                    self.press(id);
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
            | Happening::NoticeAgain => self.microsoft(happening),
            Happening::PublisherChanges => self.publisher_changes(),
            Happening::PublisherChangesWithKey => self.publisher_changes_with_key(),
            Happening::PublisherLooks => {
                if let Some(id) = self.any() {
                    self.call(Purpose::Manage, Method::POST, &format!("{id}/observe"), "");
                }
            }
            Happening::PublisherCancels => {
                if let Some(id) = self.any() {
                    self.call(Purpose::Manage, Method::DELETE, &id.to_string(), "");
                }
            }
            Happening::PublisherActivates => self.publisher_activates(),
            Happening::Send => self.send_due(),
            Happening::Arrive => {
                let waiting = self.in_transit.len();
                if waiting > 0 {
                    let which = self.io.decide(|rng| rng.random_range(0..waiting));
                    self.arrive(which);
                }
            }
            Happening::Duplicate => self.io.world(|world| world.duplicate_next_delivery()),
            Happening::Lose => {
                self.io.note(|| "* what is due is lost".to_owned());
                self.io.world(|world| world.lose_deliveries());
            }
            Happening::Forge => self.forge(),
            Happening::Reconcile => self.start_reconciliation(),
            Happening::Tell => {
                let most = self.io.decide(|rng| rng.random_range(1..=10));
                self.start_telling(most);
            }
            Happening::Sweep => self.start_sweep(),
            Happening::Redeliver => {
                if let Some(id) = self.any() {
                    let version = self.io.decide(|rng| rng.random_range(1..=5));
                    self.redeliver(id, &json!({ "fromVersion": version }));
                }
            }
            Happening::ProductsMood => {
                let mood = self.io.decide(|rng| {
                    let other = *Mood::ALL.choose(rng).expect("there are moods");
                    if rng.random() { Mood::Well } else { other }
                });
                self.io.note(|| format!("* the product: {mood:?}"));
                self.io.product(|product| product.mood = mood);
            }
            Happening::Turn => self.turn(),
            Happening::Seconds => self.wait(1, 20),
            Happening::Minutes => self.pass(60, 3600),
            Happening::Days => self.pass(86_400, 12 * 86_400),
            Happening::StaleReads => {
                let late = self.io.decide(|rng| Duration::from_secs(rng.random_range(1..30)));
                self.io.note(|| format!("* reads are {late:?} late"));
                self.io.world(|world| world.settings_mut().behaviour.stale_reads = Some(late));
            }
            Happening::FreshReads => {
                self.io.world(|world| world.settings_mut().behaviour.stale_reads = None);
            }
            // Published for longer than the cooldown of key fetches before anything is signed with it.
            Happening::RotateKeys => self.io.world(|world| {
                world.entra().rotate_keys();
                world.advance(Duration::from_secs(61));
            }),
            Happening::Weather => {
                let plan = self.io.decide(|rng| match rng.random_range(0..3) {
                    0 => Plan::Calm,
                    1 => Plan::Storm(rng.random_range(20..60)),
                    _ => Plan::Storm(rng.random_range(4..12)),
                });
                self.io.note(|| format!("* the weather: {plan:?}"));
                self.io.plan(plan);
            }
        }
    }

    /// So much time that what is under way has ended, one way or the other: by itself, or by its host.
    fn pass(&mut self, least: u64, most: u64) {
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

    fn purchase(&mut self) {
        let purchase = self.io.decide(|rng| match rng.random_range(0..10) {
            0..4 => Purchase::per_seat("basic", rng.random_range(1..=50)),
            4..7 => Purchase::flat_rate("silver"),
            7 => Purchase::flat_rate("trial").free_trial(),
            8 => Purchase::per_seat("team", rng.random_range(5..=50)).by_reseller(),
            _ => Purchase::flat_rate("auto").auto_activated(),
        });
        let bought = self.io.world(|world| {
            (world.subscriptions().count() < PURCHASES).then(|| {
                let id = world.purchase(purchase);
                (id, world.subscription(id).status == "Subscribed")
            })
        });
        if let Some((id, itself)) = bought {
            self.io.note(|| format!("* bought {id}"));
            if itself {
                self.activates_itself(id);
            }
        }
    }

    /// Any of the subscriptions there are.
    fn any(&self) -> Option<Uuid> {
        let ids: Vec<Uuid> =
            self.io.world(|world| world.subscriptions().map(|state| state.id).collect());
        self.io.decide(|rng| ids.choose(rng).copied())
    }

    /// The buyer opens the landing page.
    pub(crate) fn open(&mut self, id: Uuid) {
        let request =
            Request::builder().uri(format!("/landing?{}", self.form(id))).body(Bytes::new());
        self.start(Purpose::Visit, request.expect("a form is a query"));
    }

    /// The buyer presses the button.
    pub(crate) fn press(&mut self, id: Uuid) {
        let request = Request::builder().method(Method::POST).uri("/landing");
        let request = request.body(Bytes::from(self.form(id)));
        self.start(Purpose::Confirm(id), request.expect("a constant address"));
    }

    fn form(&self, id: Uuid) -> String {
        let token = self.io.world(|world| world.purchase_token(id));
        url::form_urlencoded::Serializer::new(String::new()).append_pair("token", &token).finish()
    }

    fn microsoft(&mut self, happening: Happening) {
        let Some(id) = self.any() else { return };
        let (plan, seats) = self.io.decide(|rng| {
            let plans = ["silver", "gold", "platinum", "basic", "team"];
            (*plans.choose(rng).expect("there are plans"), rng.random_range(1..=60))
        });
        let happened = self.io.world(|world| match happening {
            Happening::ChangePlan => world.change_plan(id, plan).is_ok(),
            Happening::ChangeQuantity => world.change_quantity(id, seats).is_ok(),
            Happening::Revert => world.revert(id).is_ok(),
            Happening::Renew => world.renew(id).is_ok(),
            Happening::Suspend => world.suspend(id).is_ok(),
            Happening::Reinstate => world.reinstate(id).is_ok(),
            Happening::Unsubscribe => world.unsubscribe(id).is_ok(),
            Happening::ToggleRenewal => world.toggle_auto_renew(id).is_ok(),
            // Its operation says that the subscription is Subscribed now.
            _ => {
                world.subscription(id).status == "Subscribed"
                    && world.queue_notice(id, emulator::Action::Subscribe).is_ok()
            }
        });
        if happened {
            self.io.note(|| format!("* {happening:?} of {id}"));
        }
    }

    fn publisher_changes(&mut self) {
        let Some(id) = self.any() else { return };
        let body = self.io.decide(|rng| {
            if rng.random() {
                json!({ "quantity": rng.random_range(1..=60) })
            } else {
                let plans = ["silver", "gold", "basic", "team"];
                json!({ "planId": plans.choose(rng) })
            }
        });
        self.call(Purpose::Manage, Method::PATCH, &id.to_string(), &body.to_string());
    }

    /// One of few requests, sent as often as it comes up; the key tells that it is the same.
    fn publisher_changes_with_key(&mut self) {
        let number = self.io.decide(|rng| rng.random_range(0..4_usize));
        let ids: Vec<Uuid> =
            self.io.world(|world| world.subscriptions().map(|state| state.id).collect());
        let Some(id) = ids.get(number % PURCHASES) else { return };
        let bodies =
            [r#"{"quantity":7}"#, r#"{"planId":"gold"}"#, r#"{"quantity":8}"#, r#"{"quantity":9}"#];
        self.ask_with_key(*id, &format!("change-{number}"), bodies[number]);
    }

    pub(crate) fn ask_with_key(&mut self, id: Uuid, key: &str, body: &str) {
        let request = Request::builder()
            .method(Method::PATCH)
            .uri(format!("/subscriptions/{id}"))
            .header("idempotency-key", key)
            .body(Bytes::from(body.to_owned()));
        self.start(Purpose::Keyed(key.to_owned()), request.expect("a GUID is a path"));
    }

    /// A call of the publisher's own API.
    pub(crate) fn call(&mut self, purpose: Purpose, method: Method, path: &str, body: &str) {
        let request = Request::builder().method(method).uri(format!("/subscriptions/{path}"));
        self.start(purpose, request.body(Bytes::from(body.to_owned())).expect("a GUID is a path"));
    }

    /// Somebody wants events to be told again.
    pub(crate) fn redeliver(&mut self, id: Uuid, from: &Value) {
        self.call(Purpose::Manage, Method::POST, &format!("{id}/redeliver"), &from.to_string());
    }

    /// The publisher's product activates what it was asked to activate.
    fn publisher_activates(&mut self) {
        if !self.choices.by_publisher {
            return;
        }
        let Some(id) = self.any() else { return };
        self.call(Purpose::Activate(id), Method::POST, &format!("{id}/activate"), "");
    }

    /// A stranger calls the webhook, with an operation that may even exist.
    fn forge(&mut self) {
        let Some(id) = self.any() else { return };
        if self.io.decide(|rng| rng.random()) {
            return self.edit(id);
        }
        let (forgery, version, action) = self.io.decide(|rng| {
            let version = if rng.random() { TokenVersion::V1 } else { TokenVersion::V2 };
            let actions = ["Unsubscribe", "Suspend", "Reinstate", "ChangePlan"];
            (
                *Forgery::ALL.choose(rng).expect("there are forgeries"),
                version,
                *actions.choose(rng).expect("some"),
            )
        });
        let (token, operation) = self.io.world(|world| {
            let operation = world.operations(id).last().copied().unwrap_or_default();
            (world.entra().forge(forgery, version), operation)
        });
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::try_from(format!("Bearer {token}")) {
            headers.insert(header::AUTHORIZATION, value);
        }
        let body =
            json!({ "id": operation, "subscriptionId": id, "action": action, "planId": "gold" });
        self.io.note(|| format!("* a stranger, with {forgery:?}"));
        self.start(Purpose::Forged, webhook(headers, body.to_string().into_bytes()));
    }

    /// A stranger has caught a token of Microsoft's, and writes a body for it.
    fn edit(&mut self, id: Uuid) {
        let (action, plan, seats, known) = self.io.decide(|rng| {
            let actions = [
                "ChangePlan",
                "ChangeQuantity",
                "Suspend",
                "Reinstate",
                "Unsubscribe",
                "Subscribe",
                "Renew",
            ];
            let plans = ["silver", "gold", "platinum", "basic", "team"];
            let action = *actions.choose(rng).expect("there are actions");
            (
                action,
                *plans.choose(rng).expect("there are plans"),
                rng.random_range(1..=60),
                rng.random_ratio(2, 3),
            )
        });
        let body = json!({ "action": action, "planId": plan, "quantity": seats });
        self.io.note(|| format!("* a stranger, with Microsoft's token: {body}"));
        if known { self.send_edited(id, &body) } else { self.send_caught(id, Uuid::nil(), &body) }
    }

    /// The stranger names the newest operation there is.
    pub(crate) fn send_edited(&mut self, id: Uuid, body: &Value) {
        let operation = self.io.world(|world| world.operations(id).last().copied());
        self.send_caught(id, operation.unwrap_or_default(), body);
    }

    fn send_caught(&mut self, id: Uuid, operation: Uuid, body: &Value) {
        let token = self.io.world(|world| world.entra().webhook_token(TokenVersion::V1));
        let mut headers = HeaderMap::new();
        let value =
            HeaderValue::try_from(format!("Bearer {token}")).expect("a token is header text");
        headers.insert(header::AUTHORIZATION, value);
        let mut body = body.clone();
        body["id"] = json!(operation);
        body["subscriptionId"] = json!(id);
        self.start(Purpose::Edited, webhook(headers, body.to_string().into_bytes()));
    }
}
