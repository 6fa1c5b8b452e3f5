use super::*;

/// With a blank in place of each that doesn't break.
fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

#[test]
fn names_are_spaced_into_words() {
    assert_eq!(spaced("PlanChanged"), "Plan changed");
    assert_eq!(spaced("ActivationDeadlineApproaching"), "Activation deadline approaching");
    assert_eq!(spaced("upToDate"), "Up to date");
    assert_eq!(spaced(""), "");
}

#[test]
fn times_are_in_utc_and_ages_in_their_largest_unit() {
    let at: Timestamp = "2026-03-09T23:59:30Z".parse().expect("a time");
    assert_eq!(plain(&moment(at)), "9 Mar 2026 23:59 UTC");
    assert_eq!(plain(&day(at)), "9 Mar 2026");
    for (later, past, wait) in [
        (0, "just now", "less than a minute"),
        (-60, "just now", "less than a minute"),
        (60, "1 minute ago", "1 minute"),
        (7200, "2 hours ago", "2 hours"),
        (86_400, "1 day ago", "1 day"),
        (400 * 86_400, "400 days ago", "400 days"),
    ] {
        let now = at.checked_add(SignedDuration::from_secs(later)).expect("a time");
        assert_eq!((&*plain(&ago(at, now)), &*plain(&waiting(at, now))), (past, wait));
    }
}

#[test]
fn a_date_and_a_count_are_not_broken_between_two_lines() {
    let at: Timestamp = "2026-03-09T23:59:30Z".parse().expect("a time");
    assert_eq!(moment(at), "9\u{a0}Mar\u{a0}2026 23:59\u{a0}UTC");
    assert_eq!(counted(2, "day"), "2\u{a0}days");
}

#[test]
fn a_term_is_written_in_words_and_an_unknown_one_as_microsoft_wrote_it() {
    for (unit, words) in [
        ("P1M", "1 month"),
        ("P18M", "18 months"),
        ("P1Y", "1 year"),
        ("P3Y", "3 years"),
        ("PAY", "PAY"),
        ("P1W", "P1W"),
        ("", ""),
    ] {
        assert_eq!(plain(&term(unit)), words);
    }
}

#[test]
fn the_days_of_a_term_name_the_year_twice_only_if_it_changes() {
    let at = |day: &str| format!("{day}T00:00:00Z").parse().expect("a time");
    for (start, end, words) in [
        ("2026-03-04", "2026-04-03", "4 Mar – 3 Apr 2026"),
        ("2026-12-04", "2027-01-03", "4 Dec 2026 – 3 Jan 2027"),
    ] {
        assert_eq!(plain(&days(at(start), at(end))), words);
    }
}

#[test]
fn a_person_in_the_console_is_named_without_their_id() {
    let by = |principal: &str| Cause::Management { principal: Some(principal.to_owned()) };
    let person = "console: Ada Admin (6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11)";
    assert_eq!(who(&by(person)), "Ada Admin, in the console");
    let with_parentheses = "console: Ada (Oslo) (6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11)";
    assert_eq!(who(&by(with_parentheses)), "Ada (Oslo), in the console");
    assert_eq!(who(&Cause::Management { principal: None }), "Publisher, through the API");
    let arn = Some("arn:aws:iam::123456789012:user/portal".to_owned());
    let expected = "Publisher, through the API (arn:aws:iam::123456789012:user/portal)";
    assert_eq!(who(&Cause::Activation { principal: arn }), expected);
}

#[test]
fn an_event_about_one_field_is_named_after_it() {
    let row = |field: &str| Row { field: field.into(), left: "a".into(), right: "b".into() };
    let kind = EventKind::DetailsChanged;
    assert_eq!(title(&kind, &[row("name")]), "Name changed");
    assert_eq!(title(&kind, &[row("name"), row("autoRenew")]), "Details changed");
    assert_eq!(title(&EventKind::QuantityChanged { from: None, to: None }, &[]), "Seats changed");
    assert_eq!(title(&EventKind::Unsubscribed, &[]), "Ended");
}

#[test]
fn a_receiver_without_a_name_of_its_own_is_called_what_it_is() {
    assert_eq!(receiver("endpoint"), "Your product (endpoint)");
    assert_eq!(receiver("event-bus"), "Amazon EventBridge (event-bus)");
    assert_eq!(receiver("billing"), "billing");
}
