//! From a fault to the alarm that names it: the fault is injected, the functions that ship write their log
//! lines, CloudWatch makes data points of them, and the template's alarms are evaluated over these.
//!
//! For AWS's own metrics, the data points are those that AWS documents for the fault.

mod cloudwatch;
mod faults;

use std::collections::BTreeSet;
use std::pin::Pin;

use runtime::deployment::tested;
use saasctl::template::Stack;
use serde_json::Value;

use crate::delivery_env::DeliveryEnv;
use crate::log_lines::Lines;
use crate::test_env::TestEnv;
use cloudwatch::{Alarm, Point, State, points};

/// The stack's name, and so the namespace of its metrics.
const NAMESPACE: &str = "marketplace";

/// What CloudWatch gets while a fault lasts.
#[derive(Default)]
struct Observed {
    points: Vec<Point>,
    /// Metrics of a healthy stack that come from the fault instead.
    replaces: &'static [&'static str],
    /// The last minute.
    end: i64,
}

impl Observed {
    fn of(lines: &[Value]) -> Self {
        let mut observed = Self::default();
        observed.add(lines, 0);
        observed
    }

    fn add(&mut self, lines: &[Value], minute: i64) {
        self.points.extend(points(lines, NAMESPACE, minute));
        self.end = self.end.max(minute);
    }
}

/// A data point of an AWS service.
fn aws(
    namespace: &str,
    metric: &str,
    dimensions: &[(&str, &str)],
    minute: i64,
    value: f64,
) -> Point {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Point {
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        dimensions: dimensions.iter().map(own).collect(),
        minute,
        value,
    }
}

/// Values of an AWS service's metric, each five minutes after the one before.
fn measured(
    namespace: &str,
    metric: &str,
    dimensions: &[(&str, &str)],
    values: &[f64],
) -> Observed {
    let mut observed = Observed::default();
    for (minute, value) in (0..).step_by(5).zip(values) {
        observed.points.push(aws(namespace, metric, dimensions, minute, *value));
        observed.end = minute;
    }
    observed
}

fn lambda(metric: &str, function: &str, values: &[f64]) -> Observed {
    let name = format!("<{function}>");
    measured("AWS/Lambda", metric, &[("FunctionName", &name)], values)
}

/// How long a hundred webhook calls within a minute take, in milliseconds.
fn durations(slow: usize, each: f64) -> Observed {
    let mut observed = Observed::default();
    for number in 0..100 {
        let value = if number < slow { each } else { 400.0 };
        let dimensions = [("FunctionName", "<WebhookFunction>")];
        observed.points.push(aws("AWS/Lambda", "Duration", &dimensions, 0, value));
    }
    observed
}

fn throttled(values: &[f64]) -> Observed {
    let table = tested().output("TableName").expect("an output").to_owned();
    let dimensions = [("TableName", table.as_str()), ("Operation", "TransactWriteItems")];
    measured("AWS/DynamoDB", "ThrottledRequests", &dimensions, values)
}

/// A healthy stack: a full round each hour, and a sweep each minute in which nothing waits.
struct Healthy {
    hourly: Vec<Point>,
    minutely: Vec<Point>,
}

impl Healthy {
    async fn run() -> Self {
        let (lines, _guard) = Lines::collect("info");
        let env = TestEnv::new().await;
        env.system.reconcile().await.expect("a run");
        let hourly = points(&lines.take(), NAMESPACE, 0);
        DeliveryEnv::new().sweep().await;
        Self { hourly, minutely: points(&lines.take(), NAMESPACE, 0) }
    }

    /// From some hours before a fault to its end, without the metrics that come from the fault.
    fn points(&self, from: i64, observed: &Observed) -> Vec<Point> {
        let at = |points: &[Point], minute| -> Vec<Point> {
            let is_own =
                |point: &&Point| minute < 0 || !observed.replaces.contains(&point.metric.as_str());
            points.iter().filter(is_own).map(|point| Point { minute, ..point.clone() }).collect()
        };
        let hours = (from..=observed.end).filter(|minute| minute.rem_euclid(60) == 0);
        // Nothing looks further back than an hour at what is measured each minute.
        let minutes = (-60..=observed.end).flat_map(|minute| at(&self.minutely, minute));
        hours.flat_map(|minute| at(&self.hourly, minute)).chain(minutes).collect()
    }
}

type Run = Pin<Box<dyn Future<Output = Observed>>>;

/// A fault, and the alarms that it trips: those that are on at its end, and those that were on before.
struct Fault {
    what: &'static str,
    run: Run,
    trips: &'static [&'static str],
    tripped_before: &'static [&'static str],
}

fn run(run: impl Future<Output = Observed> + 'static) -> Run {
    Box::pin(run)
}

fn given(observed: Observed) -> Run {
    run(std::future::ready(observed))
}

/// Every alarm has a row with the fault that it names. Rows that trip nothing are the same fault below the
/// threshold.
fn faults() -> Vec<Fault> {
    let queue = [("QueueName", "<DeliveryDeadLetters.QueueName>")];
    let machine = [("StateMachineArn", "<ReconciliationRun>")];
    let rows: Vec<(&str, Run, &[&str])> = vec![
        ("nothing is wrong", given(Observed::default()), &[]),
        // What the functions write.
        ("one call of Microsoft's fails", run(faults::one_call_fails()), &[]),
        ("calls keep failing", run(faults::calls_keep_failing()), &["WebhookFailing"]),
        ("strangers call", run(faults::strangers_call()), &[]),
        ("strangers flood the webhook", run(faults::strangers_flood()), &["RefusedCallers"]),
        ("a few keys are unknown", run(faults::a_few_unknown_keys()), &[]),
        ("many keys are unknown", run(faults::many_unknown_keys()), &["UnknownKeys"]),
        (
            "a call is signed and not confirmed",
            run(faults::a_signed_call_that_microsoft_does_not_confirm()),
            &["UnconfirmedCalls"],
        ),
        ("Microsoft sends a new word", run(faults::an_unknown_word()), &["UnknownAction"]),
        (
            "the marketplace's address is wrong",
            run(faults::the_marketplaces_address_is_wrong()),
            &["Configuration"],
        ),
        (
            "Microsoft refuses our app",
            run(faults::microsoft_refuses_our_app()),
            &["CredentialRefused"],
        ),
        ("a secret ends in 31 days", run(faults::a_secret_ends_in(31)), &[]),
        (
            "a secret ends in 30 days",
            run(faults::a_secret_ends_in(30)),
            &["CredentialEndsInAMonth"],
        ),
        (
            "a secret ends in a week",
            run(faults::a_secret_ends_in(7)),
            &["CredentialEndsInAMonth", "CredentialEndsInAWeek"],
        ),
        ("an examination finds nothing", run(faults::an_examination_finds_nothing()), &[]),
        (
            "an examination finds a fault",
            run(faults::an_examination_finds_a_fault()),
            &["ChecksFailed"],
        ),
        ("the list restarts once", run(faults::the_list_restarts_once()), &[]),
        ("the list restarts again", run(faults::the_list_restarts_again()), &["ListRestarted"]),
        ("a call is missed", run(faults::a_call_is_missed()), &["Drift"]),
        ("a purchase lapses soon", run(faults::a_purchase_lapses_soon()), &["ActivationDeadline"]),
        (
            "a page of the list is refused twice",
            run(faults::a_page_is_refused_twice()),
            &["ListNotEnded"],
        ),
        (
            "no round ends for five hours",
            run(faults::the_list_never_ends_for_five_hours()),
            &["ListNotEnded"],
        ),
        (
            "no round ends for seven hours",
            run(faults::the_list_never_ends_for_seven_hours()),
            &["ListNotEnded", "NoFullRound"],
        ),
        (
            "the list fails for seven hours",
            run(faults::the_list_fails_for_seven_hours()),
            &["ListNotEnded", "NoFullRound"],
        ),
        (
            "the reconciliation is paused for seven hours",
            run(faults::the_reconciliation_is_paused_for_seven_hours()),
            &["NoFullRound"],
        ),
        (
            "the product is down for half an hour",
            run(faults::the_product_is_down_for_half_an_hour()),
            &[],
        ),
        (
            "the product is down for longer",
            run(faults::the_product_is_down_for_longer()),
            &["EventsNotTaken"],
        ),
        // What AWS counts.
        (
            "the webhook crashes",
            given(lambda("Errors", "WebhookFunction", &[1.0])),
            &["WebhookErrors"],
        ),
        (
            "Lambda has no concurrency left",
            given(lambda("Throttles", "WebhookFunction", &[1.0])),
            &["WebhookThrottled"],
        ),
        ("one call in a hundred is slow", given(durations(1, 8900.0)), &[]),
        ("two calls in a hundred are slow", given(durations(2, 8900.0)), &["WebhookSlow"]),
        ("every call takes eight seconds", given(durations(100, 8000.0)), &[]),
        ("the page crashes twice", given(lambda("Errors", "LandingFunction", &[2.0])), &[]),
        (
            "the page crashes",
            given(lambda("Errors", "LandingFunction", &[3.0])),
            &["LandingErrors"],
        ),
        (
            "activation crashes",
            given(lambda("Errors", "ActivationFunction", &[1.0])),
            &["ActivationErrors"],
        ),
        (
            "the management API crashes",
            given(lambda("Errors", "ManagementFunction", &[1.0])),
            &["ManagementErrors"],
        ),
        (
            "the console crashes",
            given(lambda("Errors", "ConsoleFunction", &[1.0])),
            &["ConsoleErrors"],
        ),
        (
            "a run of the reconciliation fails",
            given(measured("AWS/States", "ExecutionsFailed", &machine, &[1.0])),
            &["ReconciliationFailed"],
        ),
        (
            "a slice fails and is repeated",
            given(lambda("Errors", "ReconciliationFunction", &[1.0])),
            &[],
        ),
        ("delivery crashes twice", given(lambda("Errors", "DeliveryFunction", &[1.0, 1.0])), &[]),
        (
            "delivery keeps crashing",
            given(lambda("Errors", "DeliveryFunction", &[1.0, 1.0, 1.0])),
            &["DeliveryErrors"],
        ),
        (
            "the stream gives records up",
            given(measured("AWS/SQS", "ApproximateNumberOfMessagesVisible", &queue, &[1.0])),
            &["DeadLetters"],
        ),
        (
            "the stream is read ten minutes late",
            given(lambda("IteratorAge", "DeliveryFunction", &[600_000.0])),
            &[],
        ),
        (
            "the stream is read later",
            given(lambda("IteratorAge", "DeliveryFunction", &[600_001.0])),
            &["StreamLate"],
        ),
        ("the table is throttled once", given(throttled(&[1.0])), &[]),
        ("the table is throttled again", given(throttled(&[1.0, 1.0])), &["TableThrottled"]),
    ];
    let mut faults: Vec<_> = rows
        .into_iter()
        .map(|(what, run, trips)| Fault { what, run, trips, tripped_before: &[] })
        .collect();
    faults.push(Fault {
        what: "the product was down and is back",
        run: run(faults::the_product_is_back()),
        trips: &[],
        tripped_before: &["EventsNotTaken"],
    });
    faults.push(Fault {
        what: "the product is down for a week",
        run: run(faults::the_product_is_down_for_a_week()),
        trips: &["EventsParked"],
        tripped_before: &["EventsNotTaken"],
    });
    faults
}

fn alarms(stack: &Stack) -> Vec<(&str, Alarm)> {
    let alarms = stack.resources().filter(|(_, each)| each["Type"] == "AWS::CloudWatch::Alarm");
    alarms.map(|(id, alarm)| (id, Alarm::read(&alarm["Properties"]))).collect()
}

#[tokio::test]
async fn each_alarm_is_tripped_by_the_fault_that_it_names_and_by_no_other() {
    let stack = tested();
    let alarms = alarms(&stack);
    let healthy = Healthy::run().await;
    let (mut wrong, mut tripped) = (Vec::new(), BTreeSet::new());
    for Fault { what, run, trips, tripped_before } in faults() {
        let mut observed = run.await;
        // As far back as the longest alarm looks.
        let from = -24 * 60;
        let healthy = healthy.points(from, &observed);
        observed.points.extend(healthy);
        let (mut at_end, mut ever) = (BTreeSet::new(), BTreeSet::new());
        for (id, alarm) in &alarms {
            let states = alarm.states(&observed.points, -60, observed.end);
            let since = states.iter().skip(60);
            if since.clone().any(|state| *state == State::Alarm) {
                ever.insert(*id);
            }
            if since.last() == Some(&State::Alarm) {
                at_end.insert(*id);
            }
        }
        let expected: BTreeSet<&str> = trips.iter().copied().collect();
        let expected_ever: BTreeSet<&str> = trips.iter().chain(tripped_before).copied().collect();
        if (&at_end, &ever) != (&expected, &expected_ever) {
            wrong.push(format!("{what}: at its end {at_end:?}, and before {ever:?}"));
        }
        tripped.extend(expected);
    }
    assert_eq!(wrong, [""; 0]);
    let all: BTreeSet<&str> = alarms.iter().map(|(id, _)| *id).collect();
    assert_eq!(tripped, all, "each alarm has a fault");
}
