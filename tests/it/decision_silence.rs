//! What a change meets when the publisher's product gives no decision about it.

use emulator::{Action, Call, ErrorForm, FaultKind, Times};
use local::Options;
use local::decider::Says;
use shared::domain::{DecidedBy, Verdict};

use crate::decision::{asking, last_event};
use crate::scene::Scene;

/// What is no decision, and the word it is recorded with.
fn nothing_said() -> Vec<(Says, &'static str)> {
    let answer = |status, body: &str| Says::Answer(status, body.to_owned());
    vec![
        (answer(500, "{}"), "error_answered"),
        (answer(400, r#"{"decision":"reject"}"#), "error_answered"),
        (answer(302, r#"{"decision":"accept"}"#), "error_answered"),
        (answer(204, ""), "no_decision_in_answer"),
        (answer(200, "yes"), "no_decision_in_answer"),
        (answer(200, r#"{"decision":"later"}"#), "no_decision_in_answer"),
    ]
}

/// The status of the answer, and the one word of the event's reason.
async fn meets(scene: &Scene, action: &Action) -> (u16, Verdict, Option<String>) {
    let (id, _) = scene.about_to(action).await;
    let status = scene.deliver_statuses().await[0];
    let ruling = last_event(scene, id).await.ruling.expect("a ruling");
    assert_eq!(ruling.by, DecidedBy::Fallback);
    scene.assert_agrees(id, &format!("{action:?}: {:?}", ruling.reason)).await;
    (status, ruling.verdict, ruling.reason)
}

const ACCEPTED: (u16, Verdict) = (200, Verdict::Accept);
const REJECTED: (u16, Verdict) = (400, Verdict::Reject);

/// Asks a product that answers in every way, with words of its own that no log may show.
/// Returns whose changes they were.
pub(crate) async fn a_product_full_of_trouble() -> Vec<String> {
    let (scene, decider) = asking(&[]).await;
    let own = "body-of-the-product for adele@private.example";
    let mut answers: Vec<_> = nothing_said().into_iter().map(|(says, _)| says).collect();
    answers.extend([
        Says::Reject(own.to_owned()),
        Says::Answer(200, own.to_owned()),
        Says::Answer(500, own.to_owned()),
        Says::Answer(200, format!(r#"{{"decision":"{own}"}}"#)),
    ]);
    let mut whose = Vec::new();
    for says in answers {
        decider.says(says);
        let (id, _) = scene.about_to(&Action::ChangePlan).await;
        scene.deliver().await;
        whose.push(id.to_string());
    }
    assert_eq!((decider.questions().len(), decider.complaints()), (10, Vec::new()));
    whose
}

#[tokio::test]
async fn silence_and_nonsense_meet_what_is_configured_for_them() {
    for (fallback, policy, expected) in
        [("accept", "reject", ACCEPTED), ("reject", "accept", REJECTED)]
    {
        let settings = [("DECISION_FALLBACK", fallback), ("CHANGE_POLICY", policy)];
        let (scene, decider) = asking(&settings).await;
        for (says, word) in nothing_said() {
            decider.says(says.clone());
            for action in [Action::ChangePlan, Action::ChangeQuantity] {
                let (status, verdict, reason) = meets(&scene, &action).await;
                assert_eq!((status, verdict), expected, "{says:?}");
                assert_eq!(reason.as_deref(), Some(word), "{says:?}");
            }
        }
    }
}

#[tokio::test]
async fn where_nothing_is_configured_for_silence_it_is_as_if_there_were_nobody_to_ask() {
    let rules = r#"{"per-seat-1": {"plans": {"basic": {"to": ["team"]}}}}"#;
    for (policy, expected) in [("accept", ACCEPTED), ("reject", REJECTED)] {
        let (scene, decider) = asking(&[("CHANGE_POLICY", policy), ("CHANGE_RULES", rules)]).await;
        decider.says(Says::Answer(503, String::new()));
        let (status, verdict, _) = meets(&scene, &Action::ChangeQuantity).await;
        assert_eq!((status, verdict), expected, "no rule speaks about seats: {policy}");
        let (status, verdict, _) = meets(&scene, &Action::ChangePlan).await;
        assert_eq!((status, verdict), ACCEPTED, "a rule allows it: {policy}");
    }
}

#[tokio::test]
async fn a_product_that_is_not_there_is_one_that_says_nothing() {
    let (scene, decider) = asking(&[("DECISION_FALLBACK", "reject")]).await;
    drop(decider);
    let (status, verdict, reason) = meets(&scene, &Action::ChangePlan).await;
    assert_eq!((status, verdict), REJECTED);
    let words = ["not_connected", "no_answer"];
    assert!(reason.as_deref().is_some_and(|reason| words.contains(&reason)), "{reason:?}");
}

/// Real time passes, as long as the product is listened to.
#[tokio::test]
async fn t_18_a_product_that_never_answers_does_not_cost_the_answer_to_microsoft() {
    let (scene, decider) = asking(&[("DECISION_FALLBACK", "reject")]).await;
    decider.says(Says::Nothing);
    let (status, verdict, reason) = meets(&scene, &Action::ChangePlan).await;
    assert_eq!(((status, verdict), reason.as_deref()), (REJECTED, Some("no_answer")));
}

#[tokio::test]
async fn plans_that_cannot_be_had_are_not_told_and_the_change_goes_on() {
    let (scene, decider) = asking(&[]).await;
    decider.says(Says::Reject("no".to_owned()));
    for fault in [
        FaultKind::Status(500, ErrorForm::Html),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::Status(404, ErrorForm::Empty),
        FaultKind::DropBefore,
        FaultKind::Garbage("[".to_owned()),
    ] {
        scene.fault(Call::ListAvailablePlans, fault.clone(), Times::Always);
        scene.about_to(&Action::ChangePlan).await;
        assert_eq!(scene.deliver_statuses().await, [400], "{fault:?}");
        let (_, question) = decider.questions().pop().expect("it was asked");
        assert_eq!((question.get("plans"), question.get("limits")), (None, None), "{fault:?}");
        assert_eq!(question["change"]["to"], "team");
        scene.world(|world| world.faults_mut().clear());
    }
}

#[tokio::test]
async fn a_question_is_signed_with_the_former_key_too_while_one_replaces_the_other() {
    let decider = local::decider::Decider::start(local::receiver::SenderClock::Emulated);
    let decider = decider.await.expect("the product starts");
    let mut variables = decider.settings();
    let former = variables["DECISION_SIGNING_KEY"].clone();
    let new = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    variables.insert("DECISION_SIGNING_KEY".to_owned(), format!("{new} {former}"));
    let scene = Scene::with(Options { variables, ..Options::default() }).await;
    scene.about_to(&Action::ChangePlan).await;
    assert_eq!(scene.deliver_statuses().await, [200]);
    assert_eq!((decider.questions().len(), decider.complaints()), (1, Vec::new()));
}
