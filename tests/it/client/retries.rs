//! Which calls are retried, how often and when (T-28).

use std::net::Ipv4Addr;

use emulator::ErrorForm;
use tokio::net::TcpListener;

use super::*;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Makes the call with a fault that strikes once. Returns the outcome, and the number of attempts.
async fn with_fault(
    wire: &Wire,
    call: Made,
    kind: FaultKind,
) -> (Result<(), FulfillmentError>, usize) {
    wire.fault(call.call(), kind, Times::Once);
    wire.take_sent();
    let outcome = wire.make(&call).await;
    wire.world(|world| world.faults_mut().clear());
    (outcome, wire.take_sent().len())
}

#[tokio::test]
async fn t_28_only_repeatable_calls_are_retried_after_an_unknown_outcome() {
    let wire = Wire::new().await;
    wire.make(&Made::List).await.expect("a token");
    let outcome_unknown = [
        FaultKind::Status(500, ErrorForm::Nested),
        FaultKind::Status(502, ErrorForm::Html),
        FaultKind::Status(503, ErrorForm::Empty),
        FaultKind::Status(504, ErrorForm::Html),
        FaultKind::Status(408, ErrorForm::Empty),
        FaultKind::RetryAfter(503, "1".into()),
        FaultKind::DropBefore,
    ];
    for call in Made::ALL {
        for fault in outcome_unknown.clone() {
            let (outcome, sent) = with_fault(&wire, call, fault.clone()).await;
            if call.is_repeatable() {
                outcome.unwrap_or_else(|error| panic!("{call:?} {fault:?}: {error}"));
                assert_eq!(sent, 2, "{call:?} {fault:?}");
            } else {
                let error = outcome.expect_err("the outcome is unknown");
                assert!(error.leaves_outcome_unknown(), "{call:?}: {error}");
                assert_eq!(sent, 1, "{call:?} {fault:?}: F-ERR-2");
            }
        }
    }
}

#[tokio::test]
async fn t_28_every_call_is_retried_after_throttling() {
    let wire = Wire::new().await;
    wire.make(&Made::List).await.expect("a token");
    for call in Made::ALL {
        wire.take_pauses();
        let (outcome, sent) = with_fault(&wire, call, FaultKind::RetryAfter(429, "3".into())).await;
        outcome.unwrap_or_else(|error| panic!("{call:?}: {error}"));
        assert_eq!(sent, 2, "{call:?}");
        assert_eq!(wire.take_pauses(), [seconds(3)], "{call:?}: as long as Microsoft asked");
    }
}

#[tokio::test]
async fn t_28_a_change_whose_answer_was_lost_is_carried_out_once() {
    let wire = Wire::new().await;
    wire.make(&Made::List).await.expect("a token");
    for call in [Made::ChangePlan, Made::ChangeQuantity, Made::Cancel] {
        let (outcome, sent) = with_fault(&wire, call, FaultKind::LoseAnswer).await;
        assert!(outcome.is_err_and(|error| error.leaves_outcome_unknown()), "{call:?}");
        assert_eq!(sent, 1, "{call:?}");
        let latest = wire.world(|world| world.subscriptions().next_back().map(|last| last.id));
        let operations = wire.world(|world| world.operations(latest.expect("bought")));
        // The `Subscribe` of the purchase, and one change.
        assert_eq!(operations.len(), 2, "{call:?}: one change");
    }
}

#[tokio::test]
async fn t_28_a_read_whose_answer_was_lost_is_retried() {
    let wire = Wire::new().await;
    wire.make(&Made::List).await.expect("a token");
    for call in [Made::Resolve, Made::List, Made::Get, Made::Plans, Made::ListOperations] {
        let (outcome, sent) = with_fault(&wire, call, FaultKind::LoseAnswer).await;
        outcome.unwrap_or_else(|error| panic!("{call:?}: {error}"));
        assert_eq!(sent, 2, "{call:?}");
    }
}

#[tokio::test]
async fn t_28_every_call_is_retried_after_a_refused_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let closed_port = format!("http://{}/api", listener.local_addr().expect("an address"));
    drop(listener);
    let there = [("MARKETPLACE_URL", closed_port.as_str())];
    let wire = Wire::with(Settings::default(), RetryPolicy::INTERACTIVE, &there).await;
    for call in [Made::Get, Made::ChangePlan, Made::ChangeQuantity, Made::Cancel, Made::Resolve] {
        let error = wire.make(&call).await.expect_err("no server listens there");
        assert!(!error.leaves_outcome_unknown(), "{call:?}: {error}");
        assert!(matches!(error, FulfillmentError::Unreachable { .. }), "{call:?}: {error}");
        assert_eq!(wire.take_sent().len() as u32, RetryPolicy::INTERACTIVE.attempts, "{call:?}");
    }
}

#[tokio::test]
async fn t_28_attempts_are_bounded_and_the_pauses_grow() {
    for policy in [RetryPolicy::WITHIN_WEBHOOK, RetryPolicy::INTERACTIVE, RetryPolicy::SCHEDULED] {
        let wire = Wire::with(Settings::default(), policy, &[]).await;
        let broken = FaultKind::Status(503, ErrorForm::Empty);
        wire.fault(Call::ListSubscriptions, broken, Times::Always);
        wire.make(&Made::List).await.expect_err("Microsoft is down");
        assert_eq!(wire.take_sent().len() as u32, policy.attempts);
        let pauses = wire.take_pauses();
        assert_eq!(pauses.len() as u32, policy.attempts - 1);
        for (doubled, pause) in (0..).zip(&pauses) {
            let whole = policy.first_pause * (1 << doubled);
            assert!(*pause >= whole / 2 && *pause <= whole, "{pause:?} of {whole:?}: F-ERR-1");
        }
        assert!(pauses.iter().sum::<Duration>() <= policy.budget);
    }
}

#[tokio::test]
async fn t_28_retry_after_is_obeyed_as_seconds_and_as_a_date() {
    let wire = Wire::new().await;
    let (outcome, _) = with_fault(&wire, Made::List, FaultKind::RetryAfter(503, "4".into())).await;
    outcome.expect("the second attempt");
    assert_eq!(wire.take_pauses(), [seconds(4)]);

    let date = wire.clock.now() + jiff::SignedDuration::from_secs(5);
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let (outcome, sent) =
        with_fault(&wire, Made::List, FaultKind::RetryAfter(429, date.clone())).await;
    outcome.unwrap_or_else(|error| panic!("{date}: {error}"));
    assert_eq!(sent, 2);
    let [pause] = wire.take_pauses()[..] else { panic!("one pause") };
    assert!(pause > seconds(4) && pause <= seconds(5), "{pause:?} until {date}");
}

#[tokio::test]
async fn t_28_a_retry_after_beyond_the_budget_ends_the_attempts_at_once() {
    // F-ERR-4: the webhook has no time to wait so long.
    for (policy, asked) in [(RetryPolicy::WITHIN_WEBHOOK, "4"), (RetryPolicy::INTERACTIVE, "60")] {
        let wire = Wire::with(Settings::default(), policy, &[]).await;
        let fault = FaultKind::RetryAfter(429, asked.into());
        let (outcome, sent) = with_fault(&wire, Made::List, fault).await;
        assert!(matches!(outcome, Err(FulfillmentError::Unavailable { .. })), "{outcome:?}");
        assert_eq!((sent, wire.take_pauses()), (1, Vec::new()));
    }
}

#[tokio::test]
async fn t_28_no_4xx_is_retried() {
    let wire = Wire::new().await;
    wire.make(&Made::List).await.expect("a token");
    for status in [400, 404, 405, 409, 415] {
        for call in Made::ALL {
            let fault = FaultKind::Status(status, ErrorForm::Object);
            let (outcome, sent) = with_fault(&wire, call, fault).await;
            assert!(outcome.is_err(), "{call:?} {status}");
            assert_eq!(sent, 1, "{call:?} {status}");
        }
    }
    assert!(wire.take_pauses().is_empty());
}

#[tokio::test]
async fn t_28_a_read_that_hangs_times_out_and_is_retried() {
    let wire = Wire::with(Settings::default(), RetryPolicy::WITHIN_WEBHOOK, &[]).await;
    let (outcome, sent) = with_fault(&wire, Made::Get, FaultKind::Hang).await;
    outcome.expect("the second attempt");
    assert_eq!(sent, 2);
}

#[tokio::test]
async fn t_28_a_change_that_hangs_times_out_and_is_not_retried() {
    let wire = Wire::with(Settings::default(), RetryPolicy::WITHIN_WEBHOOK, &[]).await;
    let (outcome, sent) = with_fault(&wire, Made::ChangePlan, FaultKind::Hang).await;
    assert!(outcome.is_err_and(|error| error.leaves_outcome_unknown()));
    assert_eq!(sent, 1);
}
