//! A deployment whose settings change: processes with and without the endpoint `crm` over one table and product.

use jiff::SignedDuration;
use shared::domain::Event;
use shared::store::{Pause, ReceiverState, Receivers as _, Target};

use crate::delivery_env::{DeliveryEnv, id};
use crate::delivery_product::{Behaviour, NAMED};

pub(crate) const PRODUCT: &str = "product.example";
pub(crate) const CRM_HOST: &str = "crm.example";

/// The same table and product with other settings.
pub(crate) struct Settings {
    pub(crate) before: DeliveryEnv,
    pub(crate) after: DeliveryEnv,
}

pub(crate) fn crm() -> Target {
    "crm".parse().expect("a name")
}

/// A deployment without the endpoint `crm`, and the same with it.
pub(crate) fn settings(member: &str) -> Settings {
    let before = DeliveryEnv::new();
    let keys = format!(r#"{{"crm":"{}"}}"#, NAMED[0].1);
    let endpoints = format!(r#"[{{"name":"crm","url":"https://crm.example/in"{member}}}]"#);
    let after =
        before.beside(&[("DELIVERY_ENDPOINTS", &endpoints), ("DELIVERY_SIGNING_KEYS", &keys)]);
    Settings { before, after }
}

impl Settings {
    pub(crate) fn at_crm(&self, number: u128) -> Vec<String> {
        self.after.product.accepted_at(CRM_HOST, id(number))
    }

    pub(crate) async fn state(&self) -> Option<ReceiverState> {
        self.after.table.receivers().await.expect("a read").remove(&crm())
    }

    /// Asserts that the endpoint without a name has every event.
    pub(crate) fn assert_product_has_all(&self, numbers: impl IntoIterator<Item = u128>) {
        for number in numbers {
            let accepted = self.after.product.accepted_at(PRODUCT, id(number));
            assert_eq!(accepted, self.after.recorded(number), "{number}");
        }
    }

    pub(crate) async fn pause(&self, target: Target, paused: Option<Pause>) {
        let states = self.after.table.receivers().await.expect("a read");
        let state = states.get(&target).cloned().unwrap_or_default();
        let state = ReceiverState { revision: state.revision + 1, paused, ..state };
        self.after.table.save_receiver(target, &state).await.expect("saved");
    }

    /// From now on, the endpoint answers with an error.
    pub(crate) fn fail_at_crm(&self) {
        self.after.product.behaves(|arrival| match &*arrival.host {
            CRM_HOST => Behaviour::Answers(500),
            _ => Behaviour::Accepts,
        });
    }

    /// Sweeps once an hour.
    pub(crate) async fn sweep_for_days(&self, days: u32) {
        for _ in 0..days * 24 {
            self.after.clock.advance(minutes(60));
            self.after.sweep().await;
        }
    }

    pub(crate) fn since_now(&self) -> Option<Pause> {
        Some(Pause { since: self.after.now(), note: String::new(), by: None })
    }
}

pub(crate) fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(Event::id).collect()
}

pub(crate) fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}
