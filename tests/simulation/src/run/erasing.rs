//! Erasures of personal data: when one is allowed, and that nobody is left after it.

use std::collections::BTreeSet;

use emulator::SubscriptionState;
use futures_util::FutureExt as _;
use http::Method;
use jiff::SignedDuration;
use shared::domain::{Event, EventKind, KEPT_AFTER_END, Record, SubscriptionId};
use shared::store::{AnnotationStore as _, Target};
use uuid::Uuid;

use super::{Purpose, Run};
use crate::product::Inbox;

/// More than two clocks differ by.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

impl Run {
    /// The publisher asks for an erasure.
    pub(crate) fn erase(&mut self, id: Uuid) {
        self.call(Purpose::Erase(id), Method::POST, &format!("{id}/erase"), "");
    }

    /// An erasure was answered with 200: it was allowed, and it is complete.
    pub(super) fn check_erased(&mut self, id: Uuid) {
        let now = self.io.now();
        let ended = self.io.world(|world| {
            let end = world.history(id).find(|state| state.status == "Unsubscribed");
            end.map(|state| state.last_modified)
        });
        let is_due = ended.is_some_and(|at| now.duration_since(at) + SKEW >= KEPT_AFTER_END);
        if !is_due {
            self.io.violate(format!("{id}: erased, and it ended at {ended:?}"));
        }
        if let Some(record) = self.table.record(SubscriptionId(id))
            && record.is_erasing()
        {
            self.io
                .violate(format!("{id}: the erasure is not complete, and was answered with 200"));
        }
        self.check_all_received(id);
        self.erased.insert(id);
        self.check_nobody_left(id);
    }

    /// What was told with people in it has reached each receiver before.
    fn check_all_received(&self, id: Uuid) {
        let events = self.table.history(SubscriptionId(id), 0).into_iter();
        let earlier = events.take_while(|event| event.kind != EventKind::PersonalDataErased);
        let announced = earlier.filter(|event| event.kind.is_announced());
        let earlier: Vec<String> = announced.map(|event| Event::id(&event)).collect();
        let missing = self.io.product(|product| {
            let lacks = |(target, inbox): (Target, &Inbox)| {
                let received = inbox.received(id);
                let missing = earlier.iter().find(|event| !received.contains(&event.as_str()));
                missing.map(|event| format!("the {} has not received {event}", target.name()))
            };
            product.inboxes().find_map(lacks)
        });
        if let Some(missing) = missing {
            self.io.violate(format!("{id}: erased, and {missing}"));
        }
    }

    /// After the calm, each erasure still holds, and was told once.
    pub(super) fn check_erasures_last(&self) {
        for id in self.table.ids() {
            let record = self.table.record(id);
            let is_erased = record.as_ref().is_some_and(Record::is_erased);
            if self.erased.contains(&id.0) || (is_erased && self.reconciles) {
                self.check_nobody_left(id.0);
            }
            let is_told = |event: &Event| event.kind == EventKind::PersonalDataErased;
            let told = self.table.history(id, 0).iter().filter(|event| is_told(event)).count();
            if told != usize::from(is_erased) {
                self.io.violate(format!("{id}: erased: {is_erased}, and told {told} times"));
            }
        }
    }

    /// No item of an erased subscription names a person.
    fn check_nobody_left(&self, id: Uuid) {
        let Some(record) = self.table.record(SubscriptionId(id)) else {
            return self.io.violate(format!("{id}: erased, and there is no record"));
        };
        if !record.is_erased() {
            return self.io.violate(format!("{id}: erased, and the record is not"));
        }
        let annotations = self.table.annotations(SubscriptionId(id)).now_or_never();
        let annotations = annotations.expect("a table in memory never waits").ok().flatten();
        let events = self.table.history(SubscriptionId(id), 0);
        let items = [
            ("the record", serde_json::to_string(&record)),
            ("an event", serde_json::to_string(&events)),
            ("an annotation", serde_json::to_string(&annotations)),
        ];
        let people = self.people(id);
        for (what, item) in items {
            let item = item.expect("an item is JSON");
            if let Some(found) = people.iter().find(|person| item.contains(*person)) {
                self.io.violate(format!("{id}: {what} still names {found}: {item}"));
            }
        }
    }

    /// The words by which Microsoft has named people, and the sign of any address.
    fn people(&self, id: Uuid) -> BTreeSet<String> {
        let words = |state: &SubscriptionState| {
            let mut words = vec![state.name.clone()];
            for person in [&state.beneficiary, &state.purchaser] {
                words.extend([person.email.clone(), person.puid.clone()]);
                words.extend([person.object_id, person.tenant_id].map(|id| id.to_string()));
            }
            words
        };
        let all: BTreeSet<String> =
            self.io.world(|world| world.history(id).flat_map(words).collect());
        all.into_iter().filter(|word| !word.is_empty()).chain(["@".to_owned()]).collect()
    }
}
