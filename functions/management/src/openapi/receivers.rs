//! The calls about the receivers of events.

use super::described::{Body, Described, TABLE, list as listed, ok, read};
use super::schemas::reference;
use crate::error_code::ErrorCode;

pub(super) fn list() -> Described {
    read(
        "listReceivers",
        "List the receivers of events",
        ok("Those that the settings name", listed("receivers", "Receiver")),
        &[&TABLE],
    )
}

pub(super) fn pause() -> Described {
    Described {
        description: "Within a minute, nothing more is sent to it. Its events wait, and a pause parks none. A second call changes \
                the note.",
        body: Some(Body { schema: reference("ReceiverPauseRequest"), required: false }),
        ..read(
            "pauseReceiver",
            "Pause a receiver of events",
            ok("It is paused", reference("Receiver")),
            &[&TABLE, &[ErrorCode::UnknownReceiver]],
        )
    }
}

pub(super) fn resume() -> Described {
    Described {
        description: "A subscription with a new event is sent it at once, behind those that wait; every other one within 15 minutes.",
        ..read(
            "resumeReceiver",
            "Resume a receiver of events",
            ok("It is resumed", reference("Receiver")),
            &[&TABLE, &[ErrorCode::UnknownReceiver]],
        )
    }
}
