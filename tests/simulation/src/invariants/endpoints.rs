//! What the endpoints with names received.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use memory_store::MemoryStore;
use shared::domain::Event;
use shared::publisher::receiver::ReceiverSettings;
use shared::store::{ReceiverState, Receivers as _};

use crate::io::Io;

/// Each endpoint with a name received the events that it takes since it was added, and no other. The order
/// was checked at their arrival.
pub(super) fn check_named(io: &Arc<Io>, table: &MemoryStore, announced: &[Event]) {
    let states = table.receivers().now_or_never().expect("a table in memory never waits");
    let states = states.expect("a table in memory never fails");
    let always = |target| {
        BTreeMap::from([(
            target,
            ReceiverState::added(Timestamp::UNIX_EPOCH, Some(Timestamp::MIN)),
        )])
    };
    io.product(|product| {
        let mut wrong = Vec::new();
        for named in &product.named {
            let target = named.target();
            let name = target.name();
            if named.is_configured && !states.contains_key(&target) {
                wrong.push(format!("{name} is configured, and was never added"));
            }
            let state = states.get(&target).cloned();
            // Judged by the filters of its time alone.
            let state = state.map(|state| ReceiverState { filters: Vec::new(), ..state });
            let states = state.map(|state| (target, state)).into_iter().collect();
            let ever = always(target);
            let ever = named.settings.with(&ever);
            for event in announced {
                let received = named.inbox.received(event.subscription_id.0);
                let has = received.contains(&event.id().as_str());
                let takes = named.filters_of(event).any(|filter| {
                    ReceiverSettings { filter, ..named.settings.clone() }.with(&states).takes(event)
                });
                if named.is_configured && takes && !has {
                    wrong.push(format!("{name} has not received {}", event.id()));
                }
                if has && !ever.takes(event) {
                    wrong
                        .push(format!("{name} has received {}, which it doesn't take", event.id()));
                }
            }
        }
        wrong
    })
    .into_iter()
    .for_each(|what| io.violate(what));
}
