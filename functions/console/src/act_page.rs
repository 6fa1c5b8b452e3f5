//! What the page of an act about a subscription says and asks.

use jiff::Timestamp;
use shared::domain::{KEPT_AFTER_END, LONGEST_NOTE_TEXT, LONGEST_REASON, LONGEST_REFERENCE};
use shared::microsoft::fulfillment::{MOST_SEATS, Plan};

use crate::act::Act;
use crate::answers::Record;
use crate::form::Form;
use crate::pages::Input;
use crate::words::{day, short};

pub(crate) struct Asked {
    /// What will happen, a sentence each.
    pub(crate) will: Vec<String>,
    pub(crate) inputs: Vec<Input>,
    /// Whether the form only asks what to do, and the next page shows it.
    pub(crate) is_question: bool,
    /// `None` while it can't be done.
    pub(crate) button: Option<String>,
}

impl Asked {
    pub(crate) fn new(button: &str, will: &[&str], inputs: Vec<Input>) -> Self {
        let will = will.iter().map(|sentence| (*sentence).to_owned()).collect();
        Self { will, inputs, is_question: false, button: Some(button.to_owned()) }
    }

    /// The page of something that can't be done.
    pub(crate) fn nothing(will: &[&str]) -> Self {
        Self { button: None, ..Self::new("", will, Vec::new()) }
    }
}

fn approval() -> [Input; 2] {
    [
        Input::Agreed { name: "agreed", label: "The customer has agreed to this change" },
        Input::Text {
            name: "reason",
            label: "When and how the customer agreed",
            hint: "For the history, for example “by email on 3 March”. Email addresses are removed.",
            most: LONGEST_REASON,
            value: String::new(),
            required: true,
        },
    ]
}

pub(crate) fn of_subscription(
    act: Act,
    record: &Record,
    plans: &[Plan],
    query: Form<'_>,
    now: Timestamp,
) -> Asked {
    const REQUESTED: &str = "Microsoft is asked for the change, in your name.";
    const IN_FORCE: &str =
        "The change applies, and your product receives it, once Microsoft confirms it.";
    let subscription = &record.subscription;
    match act {
        Act::Approve => Asked::new(
            "Approve the purchase",
            &[
                "This confirms to Microsoft that the customer's account is set up.",
                match subscription.is_free_trial {
                    true => "The free trial starts.",
                    false => "Billing starts.",
                },
                "Your product receives the activation once Microsoft shows the subscription as active.",
            ],
            Vec::new(),
        ),
        Act::Decline => Asked::new(
            "Decline the purchase",
            &[
                "Microsoft is asked to cancel the purchase, in your name. Nothing was billed.",
                "This can't be undone. The customer would have to buy again.",
                "From now on, the buyer's page shows your reason.",
            ],
            vec![
                Input::Text {
                    name: "reason",
                    label: "Reason, shown to the buyer",
                    hint: "One line in the buyer's language, as they will read it.",
                    most: LONGEST_REASON,
                    value: String::new(),
                    required: true,
                },
                Input::Typed { expected: to_type(record) },
            ],
        ),
        Act::ChangePlan => match query.get("plan") {
            None => {
                let other = |plan: &&Plan| plan.plan_id.as_deref() != Some(&subscription.plan_id);
                let option = |plan: &Plan| {
                    let id = plan.plan_id.clone()?;
                    Some((id.clone(), plan_name(plans, &id)))
                };
                let options = plans.iter().filter(other).filter_map(option).collect();
                let current = format!("Current plan: {}", plan_name(plans, &subscription.plan_id));
                let choice = Input::Choice { name: "plan", label: "New plan", options };
                Asked { is_question: true, ..Asked::new("Continue", &[&current], vec![choice]) }
            }
            Some(plan) => {
                let from = plan_name(plans, &subscription.plan_id);
                let to = plan_name(plans, &plan);
                let change = format!("From {from} to {to}");
                let button = format!("Change to {to}");
                let mut inputs = vec![Input::Hidden { name: "plan", value: plan }];
                inputs.extend(approval());
                Asked::new(&button, &[&change, REQUESTED, IN_FORCE], inputs)
            }
        },
        Act::ChangeSeats => {
            let plan = Plan::find(plans, &subscription.plan_id);
            let least = plan.and_then(|plan| plan.min_quantity).unwrap_or(1).max(1);
            let most = plan.and_then(|plan| plan.max_quantity).unwrap_or(MOST_SEATS);
            let seats = subscription.quantity.unwrap_or(least);
            let current =
                format!("Current seats: {seats}. The plan allows {least} to {most} seats.");
            let mut inputs = vec![Input::Number {
                name: "seats",
                label: "New number of seats",
                value: seats,
                least,
                most,
            }];
            inputs.extend(approval());
            Asked::new("Change the seats", &[&current, REQUESTED, IN_FORCE], inputs)
        }
        Act::Cancel => Asked::new(
            "Cancel the subscription",
            &[
                "Microsoft is asked to end the subscription now, in your name.",
                "This can't be undone. The customer would have to buy again.",
                "Your product receives the end once Microsoft confirms it.",
            ],
            vec![Input::Typed { expected: to_type(record) }],
        ),
        Act::Refresh => Asked::new(
            "Refresh",
            &[
                "The record is updated from Microsoft's copy.",
                "If anything differs, your product receives what changed.",
            ],
            Vec::new(),
        ),
        Act::Redeliver => Asked::new(
            "Send the events again",
            &[
                "Every receiver is sent the subscription's events again, from this version on, in order.",
                "A receiver that recognizes an event's ID ignores the duplicate.",
            ],
            vec![Input::Number {
                name: "from",
                label: "From version",
                value: record.version,
                least: 1,
                most: record.version,
            }],
        ),
        Act::Erase => erasure(record, now),
        Act::AddNote => Asked::new(
            "Add the note",
            &[
                "It is added to the history with your name and the time, and never changes.",
                "Your product isn't sent it. An erasure of personal data removes it.",
            ],
            vec![Input::Text {
                name: "note",
                label: "Note",
                hint: "One line. Everyone with access to the console or the API can read it.",
                most: LONGEST_NOTE_TEXT,
                value: String::new(),
                required: true,
            }],
        ),
        Act::Reference => Asked::new(
            "Save",
            &["Not sent to Microsoft, and not used by any rule. It is included in events."],
            vec![Input::Text {
                name: "reference",
                label: "Your own reference",
                hint: "The customer's or the contract's ID in your own systems. You can search for it.",
                most: LONGEST_REFERENCE,
                value: record.reference.clone().unwrap_or_default(),
                required: false,
            }],
        ),
        Act::RecoverParked
        | Act::RecoverSince
        | Act::PauseReceiver
        | Act::ResumeReceiver
        | Act::TestEvent
        | Act::Reconcile
        | Act::DryRun
        | Act::PauseRuns
        | Act::ResumeRuns => Asked::nothing(&[]),
    }
}

fn plan_name(plans: &[Plan], id: &str) -> String {
    match Plan::find(plans, id).and_then(|plan| plan.display_name.as_ref()) {
        Some(name) => name.clone(),
        None => id.to_owned(),
    }
}

fn erasure(record: &Record, now: Timestamp) -> Asked {
    let possible_at = record.status_since.and_then(|at| at.checked_add(KEPT_AFTER_END).ok());
    let when = match possible_at {
        Some(at) if now < at => {
            format!("Possible from {}, once your product has accepted all events.", day(at))
        }
        Some(_) => "Possible once your product has accepted all events.".to_owned(),
        None => "Possible seven days after the end, once your product has accepted all events."
            .to_owned(),
    };
    let will = [
        "Names, addresses, answers and IDs of people are removed from the record and from every event.",
        "This can't be undone, and your product is informed.",
        &when,
    ];
    match possible_at.is_some_and(|at| now < at) {
        true => Asked::nothing(&will),
        false => Asked::new(
            "Erase the personal data",
            &will,
            vec![Input::Typed { expected: to_type(record) }],
        ),
    }
}

/// What is typed before something that can't be undone.
pub(crate) fn to_type(record: &Record) -> String {
    short(record.subscription.id)
}
