//! Every payload of a function, through the binaries that ship.

use std::collections::BTreeSet;
use std::path::Path;

use crate::play::{Case, Play};
use crate::{Answer, Event, Template};

/// Plays every case through the function's binary on Lambda. Each payload has a case and each case a
/// payload; and together they use all that the template grants.
///
/// # Panics
/// When something isn't as it must be.
pub async fn lambda_answers(function: &'static str, binary: &Path, cases: &[Case]) {
    complete(function, cases);
    let mut used = BTreeSet::new();
    for case in cases {
        println!("{function}/{} on Lambda", case.name);
        let mut play = Play::on_lambda(binary, function, case.name).await;
        (case.run)(&mut play).await;
        used.extend(play.end().await.used);
    }
    let granted = Template::read().grants(function);
    assert_eq!(used, granted, "the role in the template permits more than {function} uses");
}

/// Plays every case twice, on Lambda and behind the Azure Functions host: the answers are the same.
///
/// # Panics
/// When something isn't as it must be.
pub async fn same_on_both_hosts(
    function: &'static str,
    lambda: &Path,
    azure: &Path,
    cases: &[Case],
) {
    complete(function, cases);
    for case in cases {
        println!("{function}/{} behind the Azure Functions host", case.name);
        let mut play = Play::on_azure(azure, function, case.name).await;
        (case.run)(&mut play).await;
        let there = play.end().await.answers;
        let mut play = Play::on_lambda(lambda, function, case.name).await;
        (case.run)(&mut play).await;
        let here = play.end().await.answers;
        assert_eq!(comparable(there), comparable(here), "{function}/{}", case.name);
    }
}

fn complete(function: &str, cases: &[Case]) {
    let played: BTreeSet<String> = cases.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(played, Event::cases(function), "payloads and cases of {function}");
}

/// What must be the same: status, headers, and the body but for its moments.
#[derive(Debug, PartialEq, Eq)]
struct Comparable {
    status: u16,
    headers: BTreeSet<(String, String)>,
    body: String,
}

fn comparable(answers: Vec<Answer>) -> Vec<Comparable> {
    let one = |answer: Answer| {
        let Answer { status, headers, body } = answer.timeless();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Comparable { status, headers: headers.iter().map(header).collect(), body }
    };
    answers.into_iter().map(one).collect()
}
