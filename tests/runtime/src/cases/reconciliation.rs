//! Invocations of the reconciliation by the schedule.

use emulator::{Call, ClientRefusal, Purchase};
use serde_json::json;

use crate::{HostedCase, Live};

super::cases! {
    "scheduled" => scheduled,
    "scheduled" => scheduled_after_a_missed_reinstatement,
    "scheduled" => scheduled_with_a_list_that_breaks_off,
    "scheduled" => scheduled_without_access,
    "scheduled" => scheduled_after_the_retention,
}

/// F-LC-12: the function adopts Microsoft's copy if webhook calls were lost. The state machine
/// around the function reads this report.
async fn scheduled(case: &mut HostedCase) {
    let unchanged = case.active(Purchase::flat_rate("gold")).await;
    let suspended = case.active(Purchase::flat_rate("silver")).await;
    let unrecorded = case.bought(Purchase::per_seat("team", 10));
    case.world(|world| {
        world.rename(suspended, "Contoso staging").expect("a name");
        world.suspend(suspended).expect("a suspension");
        world.lose_deliveries();
    });
    let before = case.record(unchanged).await;
    let answer = case.send(Live::default()).await;
    let report = answer.json();
    let expected = json!({ "finished": true, "full_round": true, "examined": 3, "due": 0, "repaired": 2, "left": 0,
            "failed": 0, "unseen": 0, "unlisted": 0 });
    assert_eq!(report, expected);
    assert_eq!(case.count(Call::ListSubscriptions), 1);
    assert_eq!(case.status(suspended).await, "Suspended");
    assert_eq!(case.status(unrecorded).await, "PendingFulfillmentStart");
    assert_eq!(case.record(unchanged).await, before);
}

/// F-WHA-11: a suspended subscription's operation is open because its webhook call was lost. The
/// function answers it.
async fn scheduled_after_a_missed_reinstatement(case: &mut HostedCase) {
    let id = case.suspended(Purchase::flat_rate("silver")).await;
    case.world(|world| {
        world.reinstate(id).expect("a reinstatement");
        world.lose_deliveries();
    });
    let answer = case.send(Live::default()).await;
    assert_eq!(answer.json()["repaired"], 1);
    assert_eq!(case.status(id).await, "Subscribed");
    assert_eq!(case.count(Call::ListOperations), 1);
}

/// Microsoft refuses a page of the list, also after it began anew. The function notes what the list has
/// shown, and reads the rest from the table's side.
async fn scheduled_with_a_list_that_breaks_off(case: &mut HostedCase) {
    let shown = case.active(Purchase::flat_rate("silver")).await;
    let behind = case.active(Purchase::flat_rate("silver")).await;
    case.world(|world| {
        let behaviour = &mut world.settings_mut().behaviour;
        behaviour.page_size = 1;
        behaviour.failing_page = Some(1);
        behaviour.failing_page_status = 400;
        for id in [shown, behind] {
            world.suspend(id).expect("a suspension");
        }
        world.lose_deliveries();
    });
    let report = case.send(Live::default()).await.json();
    assert_eq!((&report["finished"], &report["full_round"]), (&json!(true), &json!(false)));
    assert_eq!((&report["repaired"], &report["unseen"]), (&json!(2), &json!(1)));
    assert_eq!(case.status(shown).await, "Suspended");
    assert_eq!(case.status(behind).await, "Suspended");
}

/// The function erases what `RETENTION_DAYS` no longer keeps.
async fn scheduled_after_the_retention(case: &mut HostedCase) {
    let kept = case.active(Purchase::flat_rate("silver")).await;
    let erased = case.ended_long_ago().await;
    let answer = case.send(Live::default()).await;
    assert_eq!(answer.json()["failed"], 0);
    assert!(case.events(erased).await.ends_with(&["PersonalDataErased"]));
    let record = case.record(erased).await.expect("a record");
    assert!(record.is_erased() && !record.is_erasing(), "{record:?}");
    assert!(!case.record(kept).await.expect("a record").is_erased());
}

/// F-AUTH-15: Entra refuses the client secret. The invocation fails, so that the state machine and
/// the operator's alarms see it, and no record changes.
async fn scheduled_without_access(case: &mut HostedCase) {
    let id = case.active(Purchase::flat_rate("silver")).await;
    case.world(|world| {
        world.suspend(id).expect("a suspension");
        world.lose_deliveries();
        world.entra().refuse_clients(Some(ClientRefusal::SecretWrong));
    });
    let failed = case.attempt(Live::default()).await;
    let error = failed.expect_err("nothing was compared");
    assert!(!error.contains("finished"), "{error}");
    assert_eq!(case.calls().len(), 0, "there is no token to call with");
    assert_eq!(case.status(id).await, "Subscribed");
}
