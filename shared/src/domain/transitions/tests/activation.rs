//! How far a requested activation has come.

use super::*;

#[test]
fn a_requested_activation_is_announced_once() {
    let asked = commit(pending().request_activation(&Cause::Landing, noon()));
    assert_eq!(names(&asked), ["ActivationRequested"]);
    assert_eq!(asked.record.activation, Some(ActivationRequest::AwaitsPublisher { since: noon() }));
    assert_eq!(asked.record.version, 2);
    let again = asked.record.request_activation(&Cause::Landing, noon());
    assert_eq!(again, Decision::Unchanged, "F-LP-10: a double click");
}

#[test]
fn each_attempt_to_activate_is_noted_with_its_time_and_without_an_event() {
    let requested = commit(pending().request_activation(&Cause::Landing, noon())).record;
    for record in [pending(), requested] {
        let begun = commit(record.begin_activation(noon()));
        assert_eq!(names(&begun), [""; 0]);
        assert_eq!(
            begun.record.activation,
            Some(ActivationRequest::AwaitsMicrosoft { since: noon() })
        );
        let later = noon() + SignedDuration::from_mins(3);
        let again = commit(begun.record.begin_activation(later)).record;
        assert_eq!(
            again.activation,
            Some(ActivationRequest::AwaitsMicrosoft { since: later }),
            "Microsoft may accept this attempt"
        );
        assert_eq!(again.version, begun.record.version + 1);
        assert_eq!(
            begun.record.request_activation(&Cause::Landing, later),
            Decision::Unchanged,
            "an activation sent to Microsoft is not requested again"
        );
    }
}

#[test]
fn an_abandoned_activation_can_be_requested_again() {
    assert_eq!(pending().abandon_activation(1, noon()), Decision::Unchanged);
    let begun = commit(pending().begin_activation(noon())).record;
    let abandoned = commit(begun.abandon_activation(begun.version, noon()));
    assert_eq!(names(&abandoned), [""; 0]);
    assert_eq!(abandoned.record.activation, None);
    let again = commit(abandoned.record.request_activation(&Cause::Landing, noon()));
    assert_eq!(names(&again), ["ActivationRequested"]);
}

#[test]
fn an_activation_that_another_attempt_repeats_is_not_abandoned() {
    let first = commit(pending().begin_activation(noon())).record;
    let second = commit(first.begin_activation(noon())).record;
    assert_eq!(second.abandon_activation(first.version, noon()), Decision::Unchanged);
    let abandoned = commit(second.abandon_activation(second.version, noon()));
    assert_eq!(abandoned.record.activation, None);
}

#[test]
fn a_refused_attempt_leaves_the_time_of_the_one_that_may_be_under_way() {
    let later = noon() + SignedDuration::from_mins(3);
    let first = commit(pending().begin_activation(noon())).record;
    let second = commit(first.begin_activation(later)).record;
    let resumed = commit(second.resume_activation(second.version, noon(), later)).record;
    assert_eq!(resumed.activation, first.activation);
    let overtaken = second.resume_activation(first.version, noon(), later);
    assert_eq!(overtaken, Decision::Unchanged, "a third attempt has begun");
    assert_eq!(pending().resume_activation(1, noon(), later), Decision::Unchanged);
}

#[test]
fn only_a_pending_purchase_can_be_activated() {
    // F-ACT-4, F-ACT-5, F-LC-5.
    for status in ["Subscribed", "Suspended", "Unsubscribed"] {
        let record = record(status);
        let impossible = Decision::Stale(Staleness::Impossible);
        assert_eq!(record.request_activation(&Cause::Landing, noon()), impossible, "{status}");
        assert_eq!(record.begin_activation(noon()), impossible, "{status}");
        let abandoned = record.abandon_activation(record.version, noon());
        assert_eq!(abandoned, Decision::Unchanged, "{status}");
    }
}

#[test]
fn an_observed_activation_ends_the_wait() {
    let begun = commit(pending().begin_activation(noon())).record;
    for status in ["Subscribed", "Suspended", "Unsubscribed"] {
        let decision = observe(
            Some(&begun),
            &seen(status, None),
            &Cause::Activation { principal: None },
            noon(),
        );
        assert_eq!(commit(decision.expect("enough")).record.activation, None, "{status}");
    }
}
