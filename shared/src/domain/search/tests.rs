//! Searched values, and when they count as changed.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::decision::{Decision, NextVersion};
use super::super::event::Cause;
use super::super::observe::observe;
use super::*;

const ID: &str = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";

fn noon() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a timestamp")
}

fn purchase() -> Value {
    json!({
        "id": ID, "offerId": "offer", "planId": "silver", "name": " Contoso CRM ",
        "saasSubscriptionStatus": "PendingFulfillmentStart",
        "beneficiary": { "emailId": "Ann@Contoso.example", "tenantId": Uuid::from_u128(7) },
        "purchaser": { "emailId": "orders@reseller.example", "tenantId": Uuid::from_u128(8) },
    })
}

fn sign_up(fields: &Value) -> SignUp {
    let answers =
        json!({ "contactEmail": "it@contoso.example", "fields": fields, "language": "sv" });
    serde_json::from_value(answers).expect("answers")
}

fn committed(decision: Decision) -> NextVersion {
    match decision {
        Decision::Commit(next) => next,
        other => panic!("nothing is committed: {other:?}"),
    }
}

/// The version that this observation makes, hours later.
fn observed(current: Option<&Record>, observed: &Value, hours: i64) -> NextVersion {
    let observed = serde_json::from_value(observed.clone()).expect("an observation");
    let now = noon() + SignedDuration::from_hours(hours);
    committed(observe(current, &observed, &Cause::Reconciliation, now).expect("complete"))
}

fn terms(record: &Record) -> Vec<(&'static str, String)> {
    let terms = record.search_terms();
    terms.iter().map(|(field, term)| (field.name(), term.as_str().to_owned())).collect()
}

#[test]
fn a_subscription_is_found_by_its_id_its_names_addresses_domains_and_tenants() {
    let record = observed(None, &purchase(), 0).record;
    let answers = sign_up(&json!({ "company": "Contoso AB", "fullName": "Ann Andersson" }));
    let record = committed(record.keep_sign_up(&answers, noon())).record;
    let expected = [
        ("subscription", ID),
        ("name", "contoso crm"),
        ("beneficiary-email", "ann@contoso.example"),
        ("beneficiary-domain", "contoso.example"),
        ("beneficiary-tenant", "00000000-0000-0000-0000-000000000007"),
        ("purchaser-email", "orders@reseller.example"),
        ("purchaser-domain", "reseller.example"),
        ("purchaser-tenant", "00000000-0000-0000-0000-000000000008"),
        ("contact-email", "it@contoso.example"),
        // The contact's domain is the beneficiary's.
        ("company", "contoso ab"),
        ("person", "ann andersson"),
    ];
    let expected = expected.map(|(field, term)| (field, term.to_owned()));
    assert_eq!(terms(&record), expected);
}

#[test]
fn a_value_that_is_missing_or_too_short_is_not_searched() {
    let mut bare = purchase();
    bare["name"] = json!(" AB ");
    bare["beneficiary"] = json!({ "emailId": "no address" });
    bare["purchaser"] = json!({});
    let record = observed(None, &bare, 0).record;
    let fields: Vec<_> = terms(&record).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["subscription", "beneficiary-email"]);
}

#[test]
fn fields_of_the_landing_page_are_searched_by_what_their_names_ask_for() {
    let record = observed(None, &purchase(), 0).record;
    for (name, field) in [
        ("company", Some("company")),
        ("companyName", Some("company")),
        ("company_name", Some("company")),
        ("Organization", Some("company")),
        ("name", Some("person")),
        ("contact-name", Some("person")),
        ("vat", None),
        ("nickname", None),
    ] {
        let answers = sign_up(&json!({ name: "Answered" }));
        let record = committed(record.keep_sign_up(&answers, noon())).record;
        let found = terms(&record).into_iter().find(|(_, term)| term == "answered");
        assert_eq!(found.map(|(field, _)| field), field, "{name}");
    }
}

#[test]
fn a_term_is_a_text_in_lower_case_of_three_to_a_hundred_characters() {
    for (text, term) in [
        ("  Åbo ", Some("åbo")),
        ("ab", None),
        ("a ", None),
        ("", None),
        // A sigma at the end of a word has a form of its own, which its beginning in a longer word lacks.
        ("ΟΔΟΣ", Some("οδοσ")),
    ] {
        assert_eq!(SearchTerm::of(text).as_ref().map(SearchTerm::as_str), term, "{text}");
    }
    let long = SearchTerm::of(&"Å".repeat(101)).expect("a term");
    assert_eq!(long.as_str(), "å".repeat(100));
}

#[test]
fn the_debug_text_of_a_term_shows_no_text() {
    let term = SearchTerm::of("ann@contoso.example").expect("a term");
    assert!(!format!("{term:?}").contains("ann"), "{term:?}");
}

#[test]
fn the_first_version_and_each_change_of_a_searched_value_have_new_search_terms() {
    let first = observed(None, &purchase(), 0);
    assert!(first.has_new_search_terms);
    let mut other = purchase();
    other["planId"] = json!("gold");
    let second = observed(Some(&first.record), &other, 1);
    assert!(!second.has_new_search_terms, "a plan isn't searched");
    assert_eq!(second.record.search_digest(), first.record.search_digest());
    assert!(!second.record.reaffirm(noon()).has_new_search_terms);
    let mut current = second.record;
    for (hours, (party, member, value)) in (2..).zip([
        ("beneficiary", "emailId", json!("bob@contoso.example")),
        ("purchaser", "emailId", json!("bob@contoso.example")),
        ("purchaser", "tenantId", json!(Uuid::from_u128(9))),
    ]) {
        other[party][member] = value;
        let next = observed(Some(&current), &other, hours);
        assert!(next.has_new_search_terms, "{party} {member}");
        assert_ne!(next.record.search_digest(), current.search_digest());
        current = next.record;
    }
    let answers = sign_up(&json!({}));
    assert!(committed(current.keep_sign_up(&answers, noon())).has_new_search_terms);
}

/// Versions before 0.1.0 wrote no digest.
#[test]
fn a_record_without_a_digest_gets_search_terms_with_its_next_version() {
    let mut stored = json!(observed(None, &purchase(), 0).record);
    let members = stored.as_object_mut().expect("an object");
    assert!(members.remove("searchDigest").is_some());
    let old: Record = serde_json::from_value(stored).expect("a record");
    let next = old.reaffirm(noon());
    assert!(next.has_new_search_terms);
    assert!(!next.record.reaffirm(noon()).has_new_search_terms);
}

#[test]
fn a_value_that_moves_to_another_field_changes_the_digest() {
    let of =
        |field, text| digest(&SearchTerms::from([(field, SearchTerm::of(text).expect("a term"))]));
    let name = of(SearchField::Name, "contoso");
    assert_ne!(of(SearchField::Company, "contoso"), name);
    assert_ne!(of(SearchField::Name, "contosx"), name);
    assert_eq!(of(SearchField::Name, "Contoso"), name);
}
