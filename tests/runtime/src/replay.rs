//! Runs all cases of a function on the binaries that ship.

use std::collections::BTreeSet;
use std::path::Path;

use saasctl::template::Grant;

use crate::deployment::tested;
use crate::hosted_case::{Case, HostedCase};
use crate::{Answer, Credential, Event};

/// Runs every case on Lambda. Checks that each payload has a case, that each case has a payload,
/// and that the cases together use every permission in the template.
///
/// # Panics
/// When a check fails.
pub async fn lambda_answers(function: &'static str, binary: &Path, cases: &[Case]) {
    assert_complete(function, cases);
    let mut used = BTreeSet::new();
    for case in cases {
        println!("{function}/{} on Lambda", case.name);
        let mut hosted = HostedCase::on_lambda(binary, function, case.name, None).await;
        (case.run)(&mut hosted).await;
        used.extend(hosted.end().await.used);
    }
    let mut granted = tested().grants(function);
    granted.retain(|grant| function != "landing" || !needs_a_session(grant));
    if function == "console" {
        // Its role is the API's, whose own cases use it in full, and what a sign-in needs. The tests of the
        // deployment compare the two.
        assert!(used.is_subset(&granted), "{used:?}");
        return;
    }
    assert_eq!(used, granted, "the role in the template permits more than {function} uses");
}

/// Whether the landing page needs a permission for a buyer who is signed in, which takes more than one
/// payload: it remembers refused tokens, and looks for the other subscriptions of the person.
fn needs_a_session(grant: &Grant) -> bool {
    grant.keys.as_ref().is_some_and(|keys| keys.contains("REFUSED#*"))
        || grant.action == "dynamodb:BatchGetItem"
        || grant.resource.ends_with("/index/by-search")
}

/// The case in which Microsoft's clock moves a day ahead of the binary's. Entra accepts nothing then that
/// a binary has signed itself.
const MOVES_A_DAY: &str = "expired-token";

/// Runs every case on Lambda, with another credential than client secrets.
///
/// # Panics
/// When a check of a case fails.
pub async fn lambda_answers_with(
    credential: Credential,
    function: &'static str,
    binary: &Path,
    cases: &[Case],
) {
    let moves_a_day = |case: &&Case| case.name == MOVES_A_DAY;
    let is_in_time = |case: &&Case| credential != Credential::Certificate || !moves_a_day(case);
    for case in cases.iter().filter(is_in_time) {
        println!("{function}/{} on Lambda with {credential:?}", case.name);
        let mut hosted = HostedCase::on_lambda(binary, function, case.name, Some(credential)).await;
        (case.run)(&mut hosted).await;
        hosted.end().await;
    }
}

/// The same behind the Azure Functions host.
///
/// # Panics
/// When a check of a case fails.
pub async fn azure_answers_with(
    credential: Credential,
    function: &'static str,
    binary: &Path,
    cases: &[Case],
) {
    for case in cases {
        println!("{function}/{} behind the Azure Functions host with {credential:?}", case.name);
        let mut hosted = HostedCase::on_azure(binary, function, case.name, Some(credential)).await;
        (case.run)(&mut hosted).await;
        hosted.end().await;
    }
}

/// Runs every case on Lambda and behind the Azure Functions host, and checks that the answers are
/// the same.
///
/// # Panics
/// When a check fails.
pub async fn same_on_both_hosts(
    function: &'static str,
    lambda: &Path,
    azure: &Path,
    cases: &[Case],
) {
    assert_complete(function, cases);
    for case in cases {
        println!("{function}/{} behind the Azure Functions host", case.name);
        let mut hosted = HostedCase::on_azure(azure, function, case.name, None).await;
        (case.run)(&mut hosted).await;
        let on_azure = hosted.end().await.answers;
        let mut hosted = HostedCase::on_lambda(lambda, function, case.name, None).await;
        (case.run)(&mut hosted).await;
        let on_lambda = hosted.end().await.answers;
        assert_eq!(comparable(on_azure), comparable(on_lambda), "{function}/{}", case.name);
    }
}

fn assert_complete(function: &str, cases: &[Case]) {
    let tested: BTreeSet<String> = cases.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(tested, Event::cases(function), "payloads and cases of {function}");
}

/// Everything in an answer that must be the same on both hosts.
#[derive(Debug, PartialEq, Eq)]
struct Comparable {
    status: u16,
    headers: BTreeSet<(String, String)>,
    body: String,
}

fn comparable(answers: Vec<Answer>) -> Vec<Comparable> {
    let one = |answer: Answer| {
        let Answer { status, headers, body } = answer.without_times();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Comparable { status, headers: headers.iter().map(header).collect(), body }
    };
    answers.into_iter().map(one).collect()
}
