//! Subscriptions that Microsoft activated by itself: the product is told that no person has come, until a
//! person whom Microsoft names does.

use std::sync::Arc;

use memory_store::MemoryStore;
use shared::domain::{Claim, Claimant, Event, EventKind, MatchedBy, Record, Role as Found};
use shared::store::Commit;

use super::visits::{Role, role_of};
use crate::io::Io;

/// The only plan of the catalog whose purchases Microsoft activates by itself.
const AUTO: &str = "auto";

/// Checks a commit's events, and the claim of its record.
pub(super) fn check_claims(
    io: &Arc<Io>,
    table: &MemoryStore,
    before: Option<&Record>,
    commit: &Commit,
) {
    let Some(next) = &commit.next else { return };
    let id = next.record.id();
    let mut history = table.history(id, 0);
    // A commit whose answer got lost is checked again.
    history.retain(|event| event.version < next.record.version);
    for event in &next.events {
        if let Some(what) = wrong(io, &history, event, &next.events) {
            io.violate(format!("{id}: {} {what}", event.kind.name()));
        }
        history.push(event.clone());
    }
    let claimed = history.iter().any(is_claimed);
    let told = history.iter().any(|event| event.unclaimed);
    let fits = match &next.record.claim {
        None => !claimed && !told,
        Some(Claim::Unclaimed) => !claimed && told,
        Some(Claim::Claimed(_)) => claimed && told,
    };
    if !fits {
        io.violate(format!("{id}: its events don't lead to {:?}", next.record.claim));
    }
    check_beginning(io, before, &next.record, &next.events);
}

fn is_claimed(event: &Event) -> bool {
    matches!(event.kind, EventKind::Claimed { .. })
}

/// What is wrong with an event after these.
fn wrong(
    io: &Arc<Io>,
    history: &[Event],
    event: &Event,
    of_commit: &[Event],
) -> Option<&'static str> {
    let was_claimed = history.iter().any(is_claimed);
    let was_told = history.iter().any(|event| event.unclaimed);
    let is_activation = of_commit.iter().any(|event| event.kind == EventKind::Activated);
    match &event.kind {
        EventKind::Claimed { .. } if was_claimed => Some("comes twice"),
        EventKind::Claimed { .. } if !was_told => Some("of what was never unclaimed"),
        EventKind::Claimed { .. } if event.unclaimed => Some("says that it is unclaimed"),
        EventKind::Claimed { claimant } => check_person(io, claimant),
        _ if was_claimed && event.unclaimed => Some("is unclaimed after it was claimed"),
        _ if was_told && !was_claimed && !event.unclaimed => Some("hides that it is unclaimed"),
        _ if event.unclaimed && !was_told && !is_activation => {
            Some("is unclaimed without an activation")
        }
        _ => None,
    }
}

/// The person who claims it is the visitor, and Microsoft names them.
fn check_person(io: &Arc<Io>, claimant: &Claimant) -> Option<&'static str> {
    let Some(visit) = io.visit() else { return Some("without a visit") };
    if visit.account != Some(claimant.account) {
        return Some("by another account than the visitor's");
    }
    let is_right = match role_of(io, &visit) {
        Role::NamedBeneficiary => {
            (claimant.role, claimant.matched_by) == (Found::Beneficiary, MatchedBy::TenantAndObject)
        }
        Role::Beneficiary => {
            (claimant.role, claimant.matched_by) == (Found::Beneficiary, MatchedBy::Tenant)
        }
        Role::Purchaser => claimant.role == Found::Purchaser,
        Role::Colleague | Role::Stranger => false,
    };
    (!is_right).then_some("by a person whom Microsoft doesn't name so")
}

/// A record becomes unclaimed where Microsoft activated by itself, and with the first news of it. Another
/// deployment may have activated what this table doesn't know.
fn check_beginning(io: &Arc<Io>, before: Option<&Record>, after: &Record, events: &[Event]) {
    let id = after.id();
    let is_auto =
        io.world(|world| world.history(id.0).next().is_some_and(|state| state.plan_id == AUTO));
    let begins = before.is_none_or(|before| before.claim.is_none()) && after.claim.is_some();
    if begins && before.is_some() && !is_auto {
        io.violate(format!("{id}: is unclaimed, and Microsoft was asked to activate it"));
    }
    let is_first =
        before.is_none() && events.iter().any(|event| event.kind == EventKind::Activated);
    if is_auto && is_first && !begins {
        io.violate(format!("{id}: Microsoft activated it by itself, and it isn't unclaimed"));
    }
}
