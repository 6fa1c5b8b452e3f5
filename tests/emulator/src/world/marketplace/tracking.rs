//! The tracking ids of a call.

use super::super::state::World;
use super::errors::bad_request;
use crate::wire::{Answer, ApiRequest, Outcome, Reply};
use http::HeaderName;
use uuid::Uuid;

/// The ids by which the publisher and Microsoft find a call again (F-GEN-6).
pub(super) struct Tracking {
    request_id: String,
    correlation_id: String,
    activity_id: String,
}

impl Tracking {
    /// Adds the ids to a reply.
    pub(super) fn tag(&self, answer: &mut Answer) {
        if let Outcome::Reply(reply) = &mut answer.outcome {
            let ids = [
                ("x-ms-requestid", &self.request_id),
                ("x-ms-correlationid", &self.correlation_id),
                ("x-ms-activityid", &self.activity_id),
            ];
            for (name, value) in ids {
                if let Ok(value) = value.parse() {
                    reply.headers.push((HeaderName::from_static(name), value));
                }
            }
        }
    }
}

impl World {
    pub(super) fn tracking(&mut self, request: &ApiRequest) -> Result<Tracking, Reply> {
        // If the publisher sends neither id, one GUID serves as both (F-GEN-6).
        let made = self.ids.uuid().to_string();
        let activity_id = self.ids.uuid().to_string();
        let id = |name: &'static str| match request.header(name) {
            None => Ok(None),
            Some(value) if Uuid::try_parse(value).is_ok() => Ok(Some(value.to_owned())),
            Some(_) => Err(bad_request(name, "The header must be a GUID.")),
        };
        let (request_id, correlation_id) = (id("x-ms-requestid")?, id("x-ms-correlationid")?);
        Ok(Tracking {
            request_id: request_id.unwrap_or_else(|| made.clone()),
            correlation_id: correlation_id.unwrap_or(made),
            activity_id,
        })
    }

    /// The id for a new operation: the service's own tracking id, if the publisher sent none
    /// (F-CHP-5).
    pub(super) fn operation_id(&mut self, tracking: &Tracking) -> Uuid {
        match Uuid::try_parse(&tracking.request_id) {
            Ok(id)
                if tracking.request_id == tracking.correlation_id
                    && self.find_operation(id).is_none() =>
            {
                id
            }
            _ => self.ids.uuid(),
        }
    }
}
