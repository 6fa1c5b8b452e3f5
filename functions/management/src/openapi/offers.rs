//! The calls about the settings of offers.

use super::described::{Body, Described, TABLE, ok, read};
use super::response::Success;
use super::schemas::reference;
use crate::error_code::ErrorCode;

fn offers(description: &'static str) -> Success {
    Success { headers: &["ETag"], ..ok(description, reference("Offers")) }
}

pub(super) fn get() -> Described {
    read(
        "getOffers",
        "Get what single offers have of their own on the landing page",
        offers("By offer id, as they were written; empty if the functions' settings alone count"),
        &[&TABLE],
    )
}

pub(super) fn set() -> Described {
    Described {
        description: "Replaces all of them. The landing page reads them within a minute. What an offer leaves out is as the \
                setting `LANDING_OFFERS` has it, or else the deployment. `signUpUrl` is where buyers are sent with their data, \
                so the policies of viewers and operators don't allow this call.",
        body: Some(Body { schema: reference("Offers"), required: true }),
        headers: &["ifMatch"],
        ..read(
            "setOffers",
            "Set what single offers have of their own on the landing page",
            offers("The offers as they are now"),
            &[&TABLE, &[ErrorCode::InvalidOffers, ErrorCode::VersionMismatch]],
        )
    }
}

pub(super) fn clear() -> Described {
    Described {
        description: "Afterwards, the functions' settings alone count.",
        headers: &["ifMatch"],
        ..read(
            "clearOffers",
            "Remove what single offers have of their own on the landing page",
            offers("No offers"),
            &[&TABLE, &[ErrorCode::VersionMismatch]],
        )
    }
}
