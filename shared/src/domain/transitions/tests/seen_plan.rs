//! What a record remembers of the plan in force.

use super::*;

fn on_plan(current: &Record, plan_id: &str) -> Record {
    let mut observed = seen("Subscribed", Some(noon()));
    observed.plan_id = Some(plan_id.to_owned());
    let later = noon() + SignedDuration::from_mins(5);
    commit(observe(Some(current), &observed, &Cause::Landing, later).expect("enough")).record
}

fn plan(plan_id: &str, name: &str) -> SeenPlan {
    let display_name = Some(name.to_owned());
    SeenPlan { plan_id: plan_id.to_owned(), display_name, is_of_private_offer: false }
}

#[test]
fn the_plan_in_force_is_remembered_once_and_without_an_event() {
    let record = record("Subscribed");
    assert_eq!(record.seen_plan(), None);
    let next = commit(record.see_plan(&plan("silver", "Silver"), noon()));
    assert_eq!((next.record.version, names(&next)), (2, vec![]));
    assert_eq!(next.record.seen_plan(), Some(&plan("silver", "Silver")));
    let again = next.record.see_plan(&plan("silver", "Silver"), noon());
    assert_eq!(again, Decision::Unchanged);
    let renamed = commit(next.record.see_plan(&plan("silver", "Sterling"), noon())).record;
    assert_eq!(renamed.seen_plan(), Some(&plan("silver", "Sterling")));
}

#[test]
fn another_plan_in_force_has_not_the_former_ones_name() {
    let silver = commit(record("Subscribed").see_plan(&plan("silver", "Silver"), noon())).record;
    let gold = on_plan(&silver, "gold");
    assert_eq!(gold.seen_plan(), None);
    let late = gold.see_plan(&plan("silver", "Silver"), noon());
    assert_eq!(late, Decision::Unchanged, "Microsoft was asked before the change");
    let named = commit(gold.see_plan(&plan("gold", "Gold"), noon())).record;
    assert_eq!(named.seen_plan(), Some(&plan("gold", "Gold")));
}

#[test]
fn a_record_without_a_seen_plan_keeps_the_stored_format() {
    let record = record("Subscribed");
    let stored = serde_json::to_value(&record).expect("JSON");
    assert_eq!(stored.get("seenPlan"), None);
    assert_eq!(serde_json::from_value::<Record>(stored).expect("a record"), record);
}
