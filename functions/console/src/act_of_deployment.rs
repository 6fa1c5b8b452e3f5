//! What the page of an act about the deployment says and asks.

use shared::domain::EventKind;
use shared::publisher::cloud_event::type_name;
use shared::store::LONGEST_NOTE;

use crate::act::Act;
use crate::act_page::Asked;
use crate::pages::Input;
use crate::words::spaced;

pub(crate) fn of_deployment(act: Act, receiver: Option<&str>) -> Asked {
    let named =
        || Input::Hidden { name: "receiver", value: receiver.unwrap_or_default().to_owned() };
    let note = |required| Input::Text {
        name: "note",
        label: "Reason",
        hint: "Shown next to the pause.",
        most: LONGEST_NOTE,
        value: String::new(),
        required,
    };
    match act {
        Act::RecoverParked => Asked::new(
            "Send all parked events",
            &["All parked events are sent again, to the receivers that did not accept them."],
            Vec::new(),
        ),
        Act::RecoverSince => Asked::new(
            "Resend the events",
            &[
                "Every event that was recorded since then is sent again to every receiver.",
                "A receiver that recognizes an event's ID ignores the duplicate.",
            ],
            vec![Input::Time { name: "since", label: "Since, in UTC" }],
        ),
        Act::PauseReceiver => Asked::new(
            "Pause the receiver",
            &[
                "Nothing is sent to this receiver until it is resumed. Its events wait, and none is lost.",
            ],
            vec![named(), note(false)],
        ),
        Act::ResumeReceiver => Asked::new(
            "Resume the receiver",
            &["The waiting events are sent, in order."],
            vec![named()],
        ),
        Act::TestEvent => {
            let option = |kind: &EventKind| (type_name(kind), spaced(kind.name()));
            let options = EventKind::examples().iter().map(option).collect();
            Asked::new(
                "Send the test event",
                &[
                    "Every receiver is sent a signed event of a subscription that doesn't exist.",
                    "The next page shows the request and the answer.",
                ],
                vec![Input::Choice { name: "type", label: "Event type", options }],
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
            &["No run starts until it is resumed. Meanwhile, missed webhook calls go unnoticed."],
            vec![note(true)],
        ),
        Act::ResumeRuns => Asked::new(
            "Resume the reconciliation",
            &["The schedule starts the next run, as before the pause."],
            Vec::new(),
        ),
        Act::Approve
        | Act::Decline
        | Act::ChangePlan
        | Act::ChangeSeats
        | Act::Cancel
        | Act::Refresh
        | Act::Redeliver
        | Act::Erase
        | Act::Reference
        | Act::AddNote => Asked::nothing(&[]),
    }
}
