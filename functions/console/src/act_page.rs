//! What the page of an act says and asks.

use shared::domain::{EventKind, LONGEST_NOTE_TEXT, LONGEST_REASON, LONGEST_REFERENCE};
use shared::microsoft::fulfillment::{MOST_SEATS, Plan};
use shared::publisher::cloud_event::type_name;
use shared::store::LONGEST_NOTE;

use crate::act::Act;
use crate::answers::Record;
use crate::form::Form;
use crate::pages::Input;
use crate::words::short;

pub(crate) struct Asked {
    /// What will happen, a sentence each.
    pub(crate) will: Vec<String>,
    pub(crate) inputs: Vec<Input>,
    /// Whether the form only asks what to do, and the next page shows it.
    pub(crate) is_question: bool,
    pub(crate) button: &'static str,
}

impl Asked {
    fn new(button: &'static str, will: &[&str], inputs: Vec<Input>) -> Self {
        let will = will.iter().map(|sentence| (*sentence).to_owned()).collect();
        Self { will, inputs, is_question: false, button }
    }
}

fn approval() -> [Input; 2] {
    [
        Input::Agreed { name: "agreed", label: "The customer has agreed to this change" },
        Input::Text {
            name: "reason",
            label: "When and how",
            hint: "For the history, such as “by mail on 3 March”. E-mail addresses are left out.",
            most: LONGEST_REASON,
            value: String::new(),
            required: true,
        },
    ]
}

pub(crate) fn of_subscription(act: Act, record: &Record, plans: &[Plan], query: Form<'_>) -> Asked {
    let subscription = &record.subscription;
    const IN_FORCE: &str =
        "It is in force, and the product is told, when Microsoft's webhook says so.";
    match act {
        Act::Approve => Asked::new(
            "Activate it",
            &[
                "Microsoft is told that the customer's account is set up.",
                "Billing begins, or the free trial.",
                "The product is told once Microsoft shows the subscription as active.",
            ],
            Vec::new(),
        ),
        Act::Decline => Asked::new(
            "Decline the purchase",
            &[
                "Microsoft is asked to cancel the purchase, in your name. Nothing was billed.",
                "It can't be taken back. The customer would have to buy again.",
                "From now on, the buyer's page shows your reason.",
            ],
            vec![
                Input::Text {
                    name: "reason",
                    label: "Why, for the buyer",
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
                    let text = match &plan.display_name {
                        Some(name) => format!("{name} ({id})"),
                        None => id.clone(),
                    };
                    Some((id, text))
                };
                let options = plans.iter().filter(other).filter_map(option).collect();
                let now =
                    format!("The plan in force is {}.", plan_name(plans, &subscription.plan_id));
                let choice = Input::Choice { name: "plan", label: "The new plan", options };
                Asked { is_question: true, ..Asked::new("Continue", &[&now], vec![choice]) }
            }
            Some(plan) => {
                let from = plan_name(plans, &subscription.plan_id);
                let change = format!("From {from} to {}.", plan_name(plans, &plan));
                let asked = "Microsoft is asked for the change, in your name.";
                let mut inputs = vec![Input::Hidden { name: "plan", value: plan }];
                inputs.extend(approval());
                Asked::new("Ask Microsoft for it", &[&change, asked, IN_FORCE], inputs)
            }
        },
        Act::ChangeSeats => {
            let plan = Plan::find(plans, &subscription.plan_id);
            let least = plan.and_then(|plan| plan.min_quantity).unwrap_or(1).max(1);
            let most = plan.and_then(|plan| plan.max_quantity).unwrap_or(MOST_SEATS);
            let now = subscription.quantity.unwrap_or(least);
            let from =
                format!("The subscription has {now} seats. The plan has from {least} to {most}.");
            let mut inputs = vec![Input::Number {
                name: "seats",
                label: "The new number of seats",
                value: now,
                least,
                most,
            }];
            inputs.extend(approval());
            let asked = "Microsoft is asked for the change, in your name.";
            Asked::new("Ask Microsoft for it", &[&from, asked, IN_FORCE], inputs)
        }
        Act::Cancel => Asked::new(
            "Cancel the subscription",
            &[
                "Microsoft is asked to end the subscription now, in your name.",
                "It can't be taken back. The customer would have to buy again.",
                "The product is told when Microsoft says that it has ended.",
            ],
            vec![Input::Typed { expected: to_type(record) }],
        ),
        Act::LookAgain => Asked::new(
            "Look again",
            &[
                "Microsoft's copy is read, and the record becomes as it says.",
                "If something differs, the product is told what changed.",
            ],
            Vec::new(),
        ),
        Act::Redeliver => Asked::new(
            "Send again",
            &[
                "Every receiver is sent the subscription's events again, from this version on, in order.",
                "A receiver that knows an event by its id does nothing twice.",
            ],
            vec![Input::Number {
                name: "from",
                label: "From version",
                value: record.version,
                least: 1,
                most: record.version,
            }],
        ),
        Act::Erase => Asked::new(
            "Erase the personal data",
            &[
                "Names, addresses, answers and ids of people are blanked in the record and in every event.",
                "It can't be taken back, and the product is told.",
                "It is refused until seven days after the end, and while events wait.",
            ],
            vec![Input::Typed { expected: to_type(record) }],
        ),
        Act::AddNote => Asked::new(
            "Add the note",
            &[
                "It stands in the history with your name and the time, and is never changed.",
                "The product isn't sent it. An erasure of personal data removes it.",
            ],
            vec![Input::Text {
                name: "note",
                label: "Note",
                hint: "One line. Everybody with access to the console or the API can read it.",
                most: LONGEST_NOTE_TEXT,
                value: String::new(),
                required: true,
            }],
        ),
        _ => Asked::new(
            "Save",
            &["Microsoft learns nothing of it, and no rule reads it. Events carry it."],
            vec![Input::Text {
                name: "reference",
                label: "Your own reference",
                hint: "The customer's or the contract's id in your own systems. The subscription is found by it.",
                most: LONGEST_REFERENCE,
                value: record.reference.clone().unwrap_or_default(),
                required: false,
            }],
        ),
    }
}

fn plan_name(plans: &[Plan], id: &str) -> String {
    match Plan::find(plans, id).and_then(|plan| plan.display_name.as_ref()) {
        Some(name) => format!("{name} ({id})"),
        None => id.to_owned(),
    }
}

pub(crate) fn of_deployment(act: Act, receiver: Option<&str>) -> Asked {
    let named =
        || Input::Hidden { name: "receiver", value: receiver.unwrap_or_default().to_owned() };
    let note = |required| Input::Text {
        name: "note",
        label: "Why",
        hint: "Those who see the pause see this, too.",
        most: LONGEST_NOTE,
        value: String::new(),
        required,
    };
    match act {
        Act::RecoverParked => Asked::new(
            "Send everything that is parked",
            &["Every event that a receiver failed to accept for too long is due again."],
            Vec::new(),
        ),
        Act::RecoverSince => Asked::new(
            "Send again",
            &[
                "Every event that was recorded since then is sent again to every receiver.",
                "A receiver that knows an event by its id does nothing twice.",
            ],
            vec![Input::Text {
                name: "since",
                label: "Since, in UTC",
                hint: "Such as 2026-03-10, or 2026-03-10T12:00.",
                most: 30,
                value: String::new(),
                required: true,
            }],
        ),
        Act::PauseReceiver => Asked::new(
            "Pause it",
            &[
                "Nothing is sent to this receiver until it is resumed. Its events wait, and none is lost.",
            ],
            vec![named(), note(false)],
        ),
        Act::ResumeReceiver => {
            Asked::new("Resume it", &["The events that wait are sent, in order."], vec![named()])
        }
        Act::TestEvent => {
            let types = EventKind::examples().into_iter().map(|kind| type_name(&kind));
            let options = types.map(|name| (name.clone(), name)).collect();
            Asked::new(
                "Send it",
                &[
                    "Every receiver is sent a signed event of a subscription that does not exist.",
                    "The next page shows what was sent and what was answered.",
                ],
                vec![Input::Choice { name: "type", label: "Type", options }],
            )
        }
        Act::Reconcile => Asked::new(
            "Start the run",
            &[
                "Every subscription is compared with Microsoft's copy now, and repaired where it differs.",
            ],
            Vec::new(),
        ),
        Act::DryRun => Asked::new(
            "Start the dry run",
            &["Every subscription is compared with Microsoft's copy now, and nothing is repaired."],
            Vec::new(),
        ),
        Act::PauseRuns => Asked::new(
            "Pause the reconciliation",
            &["No run starts until it is resumed. A missed webhook is then not noticed."],
            vec![note(true)],
        ),
        _ => Asked::new(
            "Resume the reconciliation",
            &["The schedule starts the next run."],
            Vec::new(),
        ),
    }
}

/// What is typed before something that can't be taken back.
pub(crate) fn to_type(record: &Record) -> String {
    short(&record.subscription)
}
