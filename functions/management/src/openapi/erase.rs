//! The call that erases personal data.

use super::described::{Described, TABLE, read, record};
use crate::error_code::ErrorCode;

pub(super) fn erase() -> Described {
    Described {
        description: "Erases who bought an ended subscription, whom it is for, the name that the buyer chose, \
            what the buyer entered, your reference, metadata and notes, and the reasons of decisions, in the record and \
            in all events. What was bought and when stays. Irreversible. \
            It is possible from seven days after the end, once your product has accepted all events; \
            the problem says when. A repetition gets the same answer, so `Idempotency-Key` is ignored.",
        headers: &["ifMatch"],
        ..read(
            "erasePersonalData",
            "Erase the personal data of an ended subscription",
            record("The record without people, with the time of the erasure"),
            &[
                &TABLE,
                &[
                    ErrorCode::UnknownSubscription,
                    ErrorCode::NotEnded,
                    ErrorCode::TooEarly,
                    ErrorCode::UndeliveredEvents,
                    ErrorCode::VersionMismatch,
                ],
            ],
        )
    }
}
