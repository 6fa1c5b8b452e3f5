//! Shows what an act will do, and does it once its form comes back.

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::{EventKind, LONGEST_REASON, LONGEST_REFERENCE, LONGEST_VALUE, SubscriptionId};
use shared::host::http::{Response, see_other};
use shared::microsoft::fulfillment::{MOST_SEATS, Plan};
use shared::publisher::cloud_event::type_name;
use shared::store::LONGEST_NOTE;
use url::form_urlencoded;

use crate::act::Act;
use crate::answers::{Plans, Record};
use crate::api::{Call, Caller, Refusal};
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::{ActPage, Input};
use crate::routes;
use crate::words::{name, short};

/// The key under which the console keeps its note among the metadata.
pub(crate) const NOTE: &str = "note";

/// An act, and whom or what it is about.
pub(crate) struct Doing<'a> {
    pub(crate) act: Act,
    pub(crate) id: Option<SubscriptionId>,
    pub(crate) caller: Caller<'a>,
    pub(crate) frame: Frame<'a>,
    /// A new one for each page.
    pub(crate) key: String,
}

/// Why a form was not carried out.
pub(crate) enum NotDone {
    /// The API refused it.
    Refused(Refusal),
    /// The form lacks its confirmation, or what it asks for.
    Incomplete(&'static str),
    /// The record has another version than the one that the person saw.
    Changed,
}

impl From<Refusal> for NotDone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Doing<'_> {
    /// Where the person goes afterwards, or if they turn back.
    pub(crate) fn back(&self) -> String {
        routes::page_of(self.act, self.id)
    }

    async fn record(&self) -> Result<Option<Record>, Refusal> {
        let Some(id) = self.id else { return Ok(None) };
        self.caller.get(&format!("/subscriptions/{id}")).await.map(Some)
    }

    /// The page that says what will happen.
    pub(crate) async fn show(self, query: Form<'_>) -> Result<Response, Refusal> {
        let record = self.record().await?;
        let plans = match (&record, self.act) {
            (Some(record), Act::ChangePlan | Act::ChangeSeats) => {
                let path = format!("/subscriptions/{}/plans", record.subscription.id);
                self.caller.get::<Plans>(&path).await?.plans
            }
            _ => Vec::new(),
        };
        let receiver = query.get("receiver");
        let Asked { will, inputs, is_question, button } = match &record {
            Some(record) => of_subscription(self.act, record, &plans, query),
            None => of_deployment(self.act, receiver.as_deref()),
        };
        let subject = match (&record, receiver) {
            (Some(record), _) => name(record),
            (None, Some(receiver)) => format!("Receiver {receiver}"),
            (None, None) => String::new(),
        };
        let page = ActPage {
            subject,
            will,
            inputs,
            is_question,
            button: button.to_owned(),
            version: record.map(|record| record.version),
            key: self.key.clone(),
            back: self.back(),
            frame: self.frame,
            act: self.act,
        };
        Ok(page.show())
    }

    /// Does what the form says, and leads to the page that shows it.
    pub(crate) async fn carry_out(self, form: Form<'_>) -> Result<Response, NotDone> {
        const CONFIRM: &str = "Confirm it on the page that shows what will happen.";
        if form.get("confirmed").as_deref() != Some(self.act.name()) {
            return Err(NotDone::Incomplete(CONFIRM));
        }
        let record = self.record().await?;
        if let Some(record) = &record {
            let seen = form.get("version").ok_or(NotDone::Incomplete(CONFIRM))?;
            if seen != record.version.to_string() {
                return Err(NotDone::Changed);
            }
            if self.act.is_grave() && form.get("typed") != Some(to_type(record)) {
                return Err(NotDone::Incomplete("Type the text that the page shows."));
            }
        }
        let (method, path, body) = request(self.act, self.id, form)?;
        let (key, version) = (form.get("key"), record.map(|record| record.version));
        let key = key.as_deref();
        let mut answer = self
            .caller
            .call(Call {
                method: method.clone(),
                path: path.clone(),
                body: body.clone(),
                version,
                key,
            })
            .await?;
        // A recovery goes page by page.
        while let Some(next) = answer["next"].as_str().map(str::to_owned) {
            let mut body = body.clone();
            body["next"] = json!(next);
            let call =
                Call { method: method.clone(), path: path.clone(), body, version, key: None };
            answer = self.caller.call(call).await?;
        }
        let to = match (self.act, answer["id"].as_str()) {
            (Act::TestEvent, Some(id)) => {
                let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
                format!("{}/test-events/{id}", routes::DELIVERIES)
            }
            _ => self.back(),
        };
        Ok(see_other(&format!("{to}?done={}", self.act.name())))
    }
}

/// What is typed before something that can't be taken back.
fn to_type(record: &Record) -> String {
    short(&record.subscription)
}

/// The call of the API that an act is.
fn request(
    act: Act,
    id: Option<SubscriptionId>,
    form: Form<'_>,
) -> Result<(Method, String, Value), NotDone> {
    let missing = |what| NotDone::Incomplete(what);
    let one = || match id {
        Some(id) => format!("/subscriptions/{id}"),
        None => "/subscriptions".to_owned(),
    };
    let reason = || {
        let agreed = form.get("agreed").ok_or(missing("Say that the customer has agreed."))?;
        debug_assert!(!agreed.is_empty());
        form.get("reason").ok_or(missing("Say when and how the customer agreed."))
    };
    let receiver = || form.get("receiver").ok_or(missing("Choose a receiver."));
    let of_receiver = |end: &str| {
        let name: String = form_urlencoded::byte_serialize(receiver()?.as_bytes()).collect();
        Ok::<_, NotDone>(format!("/receivers/{name}/{end}"))
    };
    Ok(match act {
        Act::Approve => (Method::POST, format!("{}/activate", one()), Value::Null),
        Act::Decline => {
            let reason = form.get("reason").ok_or(missing("Say why, for the buyer."))?;
            (Method::POST, format!("{}/decline", one()), json!({ "reason": reason }))
        }
        Act::ChangePlan => {
            let plan = form.get("plan").ok_or(missing("Choose a plan."))?;
            (Method::PATCH, one(), json!({ "planId": plan, "reason": reason()? }))
        }
        Act::ChangeSeats => {
            let seats = form.get("seats").and_then(|seats| seats.parse::<u64>().ok());
            let seats = seats.ok_or(missing("Enter a number of seats."))?;
            (Method::PATCH, one(), json!({ "quantity": seats, "reason": reason()? }))
        }
        Act::Cancel => (Method::DELETE, one(), Value::Null),
        Act::LookAgain => (Method::POST, format!("{}/observe", one()), Value::Null),
        Act::Redeliver => {
            let from = form.get("from").and_then(|from| from.parse::<u64>().ok());
            let from = from.ok_or(missing("Enter the first version."))?;
            (Method::POST, format!("{}/redeliver", one()), json!({ "fromVersion": from }))
        }
        Act::Erase => (Method::POST, format!("{}/erase", one()), Value::Null),
        Act::Note => {
            let text = |name| form.text(name).ok_or(missing("The form is incomplete."));
            let or_null = |text: String| if text.is_empty() { Value::Null } else { json!(text) };
            let (reference, note) = (or_null(text("reference")?), or_null(text("note")?));
            (Method::PATCH, one(), json!({ "reference": reference, "metadata": { NOTE: note } }))
        }
        Act::RecoverParked => {
            (Method::POST, "/deliveries/recover".to_owned(), json!({ "state": "parked" }))
        }
        Act::RecoverSince => {
            const WHEN: &str = "Enter a time in UTC, such as 2026-03-10 or 2026-03-10T12:00.";
            let since = form.get("since").and_then(|since| utc(&since)).ok_or(missing(WHEN))?;
            (Method::POST, "/deliveries/recover".to_owned(), json!({ "since": since }))
        }
        Act::PauseReceiver => {
            let note = form.get("note").map_or(Value::Null, |note| json!({ "note": note }));
            (Method::POST, of_receiver("pause")?, note)
        }
        Act::ResumeReceiver => (Method::POST, of_receiver("resume")?, Value::Null),
        Act::TestEvent => {
            let kind = form.get("type").ok_or(missing("Choose a type."))?;
            (Method::POST, "/doctor/test-event".to_owned(), json!({ "type": kind }))
        }
        Act::Reconcile => (Method::POST, "/reconciliations".to_owned(), Value::Null),
        Act::DryRun => (Method::POST, "/reconciliations".to_owned(), json!({ "dryRun": true })),
        Act::PauseRuns => {
            let note = form.get("note").ok_or(missing("Say why, for those who see it."))?;
            (Method::POST, "/reconciliations/pause".to_owned(), json!({ "note": note }))
        }
        Act::ResumeRuns => (Method::POST, "/reconciliations/resume".to_owned(), Value::Null),
    })
}

/// A day, or a time of a day, in UTC.
fn utc(text: &str) -> Option<Timestamp> {
    let time: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// What a page of an act says and asks.
struct Asked {
    will: Vec<String>,
    inputs: Vec<Input>,
    is_question: bool,
    button: &'static str,
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

fn of_subscription(act: Act, record: &Record, plans: &[Plan], query: Form<'_>) -> Asked {
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
        _ => {
            let text = |name, label, hint, most, value| Input::Text {
                name,
                label,
                hint,
                most,
                value,
                required: false,
            };
            let inputs = vec![
                text(
                    "reference",
                    "Your own reference",
                    "The customer's or the contract's id in your own systems. The subscription is found by it.",
                    LONGEST_REFERENCE,
                    record.reference.clone().unwrap_or_default(),
                ),
                text(
                    "note",
                    "Note",
                    "Everybody with access to the console or the API can read it, and events carry it.",
                    LONGEST_VALUE,
                    record.metadata.get(NOTE).cloned().unwrap_or_default(),
                ),
            ];
            Asked::new("Save", &["Microsoft learns nothing of it, and no rule reads it."], inputs)
        }
    }
}

fn plan_name(plans: &[Plan], id: &str) -> String {
    match Plan::find(plans, id).and_then(|plan| plan.display_name.as_ref()) {
        Some(name) => format!("{name} ({id})"),
        None => id.to_owned(),
    }
}

fn of_deployment(act: Act, receiver: Option<&str>) -> Asked {
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
