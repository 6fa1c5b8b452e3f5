//! What an idle deployment costs, counted from the template, and the operator's page that says so.

use std::collections::BTreeMap;

use runtime::deployment::{required, template, values};
use saasctl::template::{Stack, text};
use serde_json::Value;

const PAGE: &str = include_str!("../../../../functions/deployments/README.md");

/// List prices of us-east-1 in USD, from AWS's price pages in November 2026, without free tiers.
mod price {
    /// A secret for a month, and a call of Secrets Manager.
    pub(super) const SECRET: f64 = 0.40;
    pub(super) const SECRET_CALL: f64 = 0.05 / 10_000.0;
    /// A transition of a standard state machine.
    pub(super) const TRANSITION: f64 = 0.025 / 1000.0;
    /// An invocation, and a second of a GB on arm64.
    pub(super) const INVOCATION: f64 = 0.20 / MILLION;
    pub(super) const GB_SECOND: f64 = 0.000_013_333_4;
    /// A unit of a table on demand.
    pub(super) const READ_UNIT: f64 = 0.125 / MILLION;
    pub(super) const WRITE_UNIT: f64 = 0.625 / MILLION;
    /// A GB of logs that arrives.
    pub(super) const LOGS_GB: f64 = 0.50;
    /// A request to a key of KMS.
    pub(super) const KEY_REQUEST: f64 = 0.03 / 10_000.0;
    /// An alarm for a month.
    pub(super) const ALARM: f64 = 0.10;

    const MILLION: f64 = 1_000_000.0;
}

/// What nobody can count from the template. Each number is generous.
mod assumed {
    /// A run without work, in seconds. Nothing but a start in a new process takes longer.
    pub(super) const SWEEP: f64 = 0.1;
    pub(super) const SLICE: f64 = 2.0;
    pub(super) const EXAMINATION: f64 = 10.0;
    /// Lines of the function and of Lambda, in bytes.
    pub(super) const SWEEP_LOG: f64 = 1500.0;
    pub(super) const SLICE_LOG: f64 = 3000.0;
    pub(super) const EXAMINATION_LOG: f64 = 3000.0;
    /// A sweep queries what is due under every partition key of the index `by-due` (`outbox_keys` in
    /// `shared/src/store/item/index.rs`), and then counts what waits and what is parked, each for half a unit.
    pub(super) const SWEEP_READ_UNITS: f64 = 3.0 * 9.0 / 2.0;
    /// It notes that it ran, every five minutes.
    pub(super) const SWEEP_WRITE_UNITS: f64 = 1.0 / 5.0;
    /// The checkpoint, whether runs are paused, and a query of what is due under each of eight partition keys.
    pub(super) const SLICE_READ_UNITS: f64 = 2.0 + 8.0 / 2.0;
    pub(super) const SLICE_WRITE_UNITS: f64 = 1.0;
    /// An examination queries each index, and `by-due` for all that waits.
    pub(super) const EXAMINATION_READ_UNITS: f64 = 40.0;
    /// What it found is kept: a sentence for each check.
    pub(super) const EXAMINATION_WRITE_UNITS: f64 = 4.0;
    /// DynamoDB asks for the table's key every five minutes, when the table is in use.
    pub(super) const KEY_REQUESTS: f64 = HOURS * 12.0;

    pub(super) const HOURS: f64 = 730.0;
}

/// How often a schedule such as `rate(1 minute)` runs in a month.
fn runs(schedule: &str) -> f64 {
    let rate = schedule.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(')'));
    let (number, unit) = rate.and_then(|rate| rate.split_once(' ')).expect("a rate");
    let number: f64 = number.parse().expect("a number");
    let per_hour = match unit.trim_end_matches('s') {
        "minute" => 60.0,
        "hour" => 1.0,
        "day" => 1.0 / 24.0,
        other => panic!("a rate per {other}"),
    };
    assumed::HOURS * per_hour / number
}

fn schedule(stack: &Stack, resource: &str, event: &str) -> f64 {
    let schedule = &stack.properties(resource)["Events"][event]["Properties"]["Schedule"];
    runs(&text(schedule).expect("a schedule"))
}

fn gigabytes(stack: &Stack, function: &str) -> f64 {
    let megabytes = text(&stack.properties(function)["MemorySize"]).expect("a size");
    megabytes.parse::<f64>().expect("a number") / 1024.0
}

/// The idle month by service, in USD.
fn idle_month(stack: &Stack) -> BTreeMap<&'static str, f64> {
    let mut month = BTreeMap::new();
    let mut add = |service, cost: f64| *month.entry(service).or_default() += cost;
    for (id, resource) in stack.resources() {
        let properties = &resource["Properties"];
        match resource["Type"].as_str().expect("a type") {
            "AWS::SecretsManager::Secret" => {
                // The reconciliation reads it three times: for a token, and for two ends. An examination
                // does, too: for a token, for its check, and for an end.
                let calls = 3.0
                    * (schedule(stack, "ReconciliationRun", "Schedule")
                        + schedule(stack, "ManagementFunction", "EveryHour"));
                add("Secrets Manager", price::SECRET + calls * price::SECRET_CALL);
            }
            "AWS::DynamoDB::Table" => {
                assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST", "{id}");
                let has_billed_key = properties["SSESpecification"]["SSEEnabled"] == true;
                let requests = if has_billed_key { assumed::KEY_REQUESTS } else { 0.0 };
                add("KMS", requests * price::KEY_REQUEST);
            }
            "AWS::Serverless::StateMachine" => {
                assert_eq!(properties["Type"], "STANDARD", "{id}");
                let states =
                    properties["Definition"]["States"].as_object().map_or(0, |map| map.len());
                // The start counts, too.
                let transitions = f64::from(u32::try_from(states + 1).expect("a few"));
                let runs = schedule(stack, id, "Schedule");
                add("Step Functions", runs * transitions * price::TRANSITION);
                let work = assumed::SLICE * gigabytes(stack, "ReconciliationFunction");
                add("Lambda", runs * (price::INVOCATION + work * price::GB_SECOND));
                add("Logs", runs * assumed::SLICE_LOG / 1e9 * price::LOGS_GB);
                let reads = assumed::SLICE_READ_UNITS * price::READ_UNIT;
                add("DynamoDB", runs * (reads + assumed::SLICE_WRITE_UNITS * price::WRITE_UNIT));
            }
            "AWS::Serverless::Function" => {
                for (name, event) in properties["Events"].as_object().into_iter().flatten() {
                    if event["Type"] != "Schedule" {
                        continue;
                    }
                    let runs = schedule(stack, id, name);
                    let (seconds, log, reads, writes) = match id {
                        "DeliveryFunction" => (
                            assumed::SWEEP,
                            assumed::SWEEP_LOG,
                            assumed::SWEEP_READ_UNITS,
                            assumed::SWEEP_WRITE_UNITS,
                        ),
                        "ManagementFunction" => (
                            assumed::EXAMINATION,
                            assumed::EXAMINATION_LOG,
                            assumed::EXAMINATION_READ_UNITS,
                            assumed::EXAMINATION_WRITE_UNITS,
                        ),
                        other => panic!("nobody has counted the schedule of {other}"),
                    };
                    let work = seconds * gigabytes(stack, id);
                    add("Lambda", runs * (price::INVOCATION + work * price::GB_SECOND));
                    add("Logs", runs * log / 1e9 * price::LOGS_GB);
                    add("DynamoDB", runs * reads * price::READ_UNIT);
                    add("DynamoDB", runs * writes * price::WRITE_UNIT);
                }
            }
            // These cost nothing, or nothing without use.
            "AWS::Serverless::HttpApi"
            | "AWS::Logs::LogGroup"
            | "AWS::IAM::ManagedPolicy"
            | "AWS::IAM::Role"
            | "AWS::SQS::Queue" => {}
            other => panic!("{id}: nobody has looked up what {other} costs"),
        }
    }
    month
}

fn deployed(alarms: &str) -> Stack {
    let mut parameters = required();
    let endpoint = ("DeliveryEndpoint", "https://product.example/events");
    parameters.extend(values(&[endpoint, ("Alarms", alarms)]));
    template().deploy(&parameters).expect("the template deploys")
}

#[test]
fn an_idle_month_with_one_product_endpoint_and_no_alarms_costs_less_than_a_dollar() {
    let month = idle_month(&deployed("disabled"));
    let sum: f64 = month.values().sum();
    assert!(sum < 1.0, "{sum}: {month:?}");
    assert!(sum > 0.40, "the secret alone: {month:?}");
}

#[test]
fn the_operators_page_says_what_the_template_costs() {
    let month = idle_month(&deployed("disabled"));
    let sum: f64 = month.values().sum();
    let (_, section) = PAGE.split_once("## What it costs\n").expect("a section");
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        Some((cells.next()?, cells.next_back()?))
    };
    let is_row = |line: &&str| line.starts_with('|') && !line.starts_with("|---");
    let table =
        section.lines().skip_while(|line| !is_row(line)).take_while(|line| line.starts_with('|'));
    let table: Vec<_> = table.filter(is_row).skip(1).filter_map(row).collect();
    let services =
        month.iter().map(|(service, cost)| ((*service).to_owned(), format!("{cost:.2}")));
    let expected: Vec<_> = services.chain([("all".to_owned(), format!("{sum:.2}"))]).collect();
    assert_eq!(table, expected);
}

#[test]
fn the_operators_page_says_how_many_alarms_there_are_and_what_they_cost() {
    let stack = deployed("enabled");
    let is_alarm = |(_, resource): &(_, &Value)| resource["Type"] == "AWS::CloudWatch::Alarm";
    let alarms = stack.resources().filter(is_alarm).count();
    let cost = f64::from(u32::try_from(alarms).expect("a few")) * price::ALARM;
    let expected = format!("{alarms} alarms, which cost {cost:.2} USD a month");
    assert!(PAGE.contains(&expected), "{expected}");
}

#[test]
fn a_schedule_is_counted_over_a_month_of_730_hours() {
    assert_eq!(runs("rate(1 hour)"), 730.0);
    assert_eq!(runs("rate(5 minutes)"), 8760.0);
    assert_eq!(runs("rate(1 minute)"), 43_800.0);
}
