//! The calls about the reconciliation.

use super::described::{Body, Described, TABLE, ok, read};
use super::response::Success;
use super::schemas::reference;
use crate::error_code::ErrorCode;

pub(super) fn list() -> Described {
    Described {
        description: "`runs` are those that ended with something to say, the latest first. `quietRuns` counts those since then that found \
                no difference.",
        ..read(
            "listReconciliations",
            "List the runs of the reconciliation, and what differed",
            ok("The run that goes on, and a page of the last ones", reference("Reconciliations")),
            &[&TABLE],
        )
    }
}

pub(super) fn start() -> Described {
    Described {
        description: "A run compares every subscription with Microsoft's copy, and repairs what differs. A dry run repairs nothing, \
                and says what a run would do. It is among the `runs` when it has ended. \
                A run that was cut off is continued. Requests with the same `Idempotency-Key` start one run within 90 days.",
        body: Some(Body { schema: reference("RunRequest"), required: false }),
        headers: &["idempotencyKey"],
        ..read(
            "reconcile",
            "Start a run of the reconciliation now",
            Success { status: 202, ..ok("The run is started", reference("StartedRun")) },
            &[
                &TABLE,
                &[
                    ErrorCode::ReconciliationPaused,
                    ErrorCode::NotStartable,
                    ErrorCode::Configuration,
                ],
            ],
        )
    }
}

pub(super) fn pause() -> Described {
    Described {
        description: "Runs compare and repair nothing until they are resumed; missed webhook calls stay unnoticed. A run that goes on \
                ends with its slice, within minutes. A second call changes the note.",
        body: Some(Body { schema: reference("PauseRequest"), required: true }),
        ..read(
            "pauseReconciliation",
            "Pause the reconciliation",
            ok("It is paused", reference("Paused")),
            &[&TABLE],
        )
    }
}

pub(super) fn resume() -> Described {
    read(
        "resumeReconciliation",
        "Resume the reconciliation",
        ok("The next run compares again", reference("Paused")),
        &[&TABLE],
    )
}
