//! Changes about which the publisher's product gives no decision.

use emulator::{Action, Call, ErrorForm, FaultKind, Times};
use local::Options;
use local::decider::Reply;
use shared::domain::{DecidedBy, Verdict};

use crate::decision::{env_with_decider, last_event};
use crate::test_env::TestEnv;

/// Answers that are no decision, and the recorded reason of each.
fn no_decisions() -> Vec<(Reply, &'static str)> {
    let answer = |status, body: &str| Reply::Raw(status, body.to_owned());
    vec![
        (answer(500, "{}"), "error_answered"),
        (answer(400, r#"{"decision":"reject"}"#), "error_answered"),
        (answer(302, r#"{"decision":"accept"}"#), "error_answered"),
        (answer(204, ""), "no_decision_in_answer"),
        (answer(200, "yes"), "no_decision_in_answer"),
        (answer(200, r#"{"decision":"later"}"#), "no_decision_in_answer"),
    ]
}

/// Microsoft requests a change. Returns the answer's status, the verdict and the recorded reason.
async fn request_change(env: &TestEnv, action: &Action) -> (u16, Verdict, Option<String>) {
    let (id, _) = env.about_to(action).await;
    let status = env.deliver_statuses().await[0];
    let ruling = last_event(env, id).await.ruling.expect("a ruling");
    assert_eq!(ruling.by, DecidedBy::Fallback);
    env.assert_agrees(id, &format!("{action:?}: {:?}", ruling.reason)).await;
    (status, ruling.verdict, ruling.reason)
}

const ACCEPTED: (u16, Verdict) = (200, Verdict::Accept);
const REJECTED: (u16, Verdict) = (400, Verdict::Reject);

/// Asks a product that answers in every way, with text that no log may show. Returns the ids of the
/// subscriptions.
pub(crate) async fn run_decisions() -> Vec<String> {
    let (env, decider) = env_with_decider(&[]).await;
    let own = "body-of-the-product for adele@private.example";
    let mut answers: Vec<_> = no_decisions().into_iter().map(|(reply, _)| reply).collect();
    answers.extend([
        Reply::Reject(own.to_owned()),
        Reply::Raw(200, own.to_owned()),
        Reply::Raw(500, own.to_owned()),
        Reply::Raw(200, format!(r#"{{"decision":"{own}"}}"#)),
    ]);
    let mut subscriptions = Vec::new();
    for reply in answers {
        decider.reply_with(reply);
        let (id, _) = env.about_to(&Action::ChangePlan).await;
        env.deliver().await;
        subscriptions.push(id.to_string());
    }
    assert_eq!((decider.questions().len(), decider.complaints()), (10, Vec::new()));
    subscriptions
}

#[tokio::test]
async fn the_configured_fallback_decides_when_the_product_gives_no_decision() {
    for (fallback, policy, expected) in
        [("accept", "reject", ACCEPTED), ("reject", "accept", REJECTED)]
    {
        let settings = [("DECISION_FALLBACK", fallback), ("CHANGE_POLICY", policy)];
        let (env, decider) = env_with_decider(&settings).await;
        for (reply, word) in no_decisions() {
            decider.reply_with(reply.clone());
            for action in [Action::ChangePlan, Action::ChangeQuantity] {
                let (status, verdict, reason) = request_change(&env, &action).await;
                assert_eq!((status, verdict), expected, "{reply:?}");
                assert_eq!(reason.as_deref(), Some(word), "{reply:?}");
            }
        }
    }
}

#[tokio::test]
async fn rules_and_policy_decide_when_the_product_fails_and_no_fallback_is_set() {
    let rules = r#"{"per-seat-1": {"plans": {"basic": {"to": ["team"]}}}}"#;
    for (policy, expected) in [("accept", ACCEPTED), ("reject", REJECTED)] {
        let (env, decider) =
            env_with_decider(&[("CHANGE_POLICY", policy), ("CHANGE_RULES", rules)]).await;
        decider.reply_with(Reply::Raw(503, String::new()));
        let (status, verdict, _) = request_change(&env, &Action::ChangeQuantity).await;
        assert_eq!((status, verdict), expected, "no rule covers seats: {policy}");
        let (status, verdict, _) = request_change(&env, &Action::ChangePlan).await;
        assert_eq!((status, verdict), ACCEPTED, "a rule allows it: {policy}");
    }
}

#[tokio::test]
async fn an_unreachable_product_counts_as_no_decision() {
    let (env, decider) = env_with_decider(&[("DECISION_FALLBACK", "reject")]).await;
    drop(decider);
    let (status, verdict, reason) = request_change(&env, &Action::ChangePlan).await;
    assert_eq!((status, verdict), REJECTED);
    let words = ["not_connected", "no_answer"];
    assert!(reason.as_deref().is_some_and(|reason| words.contains(&reason)), "{reason:?}");
}

/// Takes real time: as long as the webhook waits for the product.
#[tokio::test]
async fn t_18_a_product_that_never_answers_leaves_time_to_answer_microsoft() {
    let (env, decider) = env_with_decider(&[("DECISION_FALLBACK", "reject")]).await;
    decider.reply_with(Reply::Never);
    let (status, verdict, reason) = request_change(&env, &Action::ChangePlan).await;
    assert_eq!(((status, verdict), reason.as_deref()), (REJECTED, Some("no_answer")));
}

#[tokio::test]
async fn plans_that_cannot_be_fetched_are_left_out_of_the_question() {
    let (env, decider) = env_with_decider(&[]).await;
    decider.reply_with(Reply::Reject("no".to_owned()));
    for fault in [
        FaultKind::Status(500, ErrorForm::Html),
        FaultKind::Status(403, ErrorForm::BareString),
        FaultKind::Status(404, ErrorForm::Empty),
        FaultKind::DropBefore,
        FaultKind::Garbage("[".to_owned()),
    ] {
        env.fault(Call::ListAvailablePlans, fault.clone(), Times::Always);
        env.about_to(&Action::ChangePlan).await;
        assert_eq!(env.deliver_statuses().await, [400], "{fault:?}");
        let (_, question) = decider.questions().pop().expect("a question");
        assert_eq!((question.get("plans"), question.get("limits")), (None, None), "{fault:?}");
        assert_eq!(question["change"]["to"], "team");
        env.world(|world| world.faults_mut().clear());
    }
}

#[tokio::test]
async fn a_question_is_signed_with_both_keys_during_a_rotation() {
    let decider = local::decider::Decider::start();
    let decider = decider.await.expect("the product starts");
    let mut variables = decider.settings();
    let old = variables["DECISION_SIGNING_KEY"].clone();
    let new = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    variables.insert("DECISION_SIGNING_KEY".to_owned(), format!("{new} {old}"));
    let env = TestEnv::with(Options { variables, ..Options::default() }).await;
    env.about_to(&Action::ChangePlan).await;
    assert_eq!(env.deliver_statuses().await, [200]);
    assert_eq!((decider.questions().len(), decider.complaints()), (1, Vec::new()));
}
