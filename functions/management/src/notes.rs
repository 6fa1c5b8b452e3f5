//! Adds a note about a subscription, and lists its notes. Microsoft is not asked, and the record's version stays.

use http::{HeaderValue, StatusCode};
use serde_json::json;
use shared::domain::{Annotations, Note, SubscriptionId};
use shared::host::http::{Principal, Problem, Request, Response, json as json_response};
use shared::publisher::audit::{Shown, read_personal_data};
use tracing::info;

use crate::Management;
use crate::annotate::Saved;
use crate::idempotency::{Idempotency, REPLAYED};
use crate::if_match::IfMatch;
use crate::note_request::note_problem;
use crate::route;

impl Management {
    /// The notes, in the order in which they were added.
    pub(crate) async fn notes(
        &self,
        id: SubscriptionId,
        request: &Request,
    ) -> Result<Response, Problem> {
        let (_, annotations) = tokio::try_join!(self.record(id), self.annotations(id))?;
        let notes = annotations.map(|annotations| annotations.notes).unwrap_or_default();
        read_personal_data(request, route::form(request), Shown::Notes(id, notes.len()));
        Ok(json_response(StatusCode::OK, &json!({ "notes": notes })))
    }

    /// Adds a note in the caller's name. A repetition under the same idempotency key finds the note by its id. So
    /// nothing else is stored under the key: an erasure would not reach it there.
    pub(crate) async fn add_note(
        &self,
        id: SubscriptionId,
        text: String,
        request: &Request,
    ) -> Result<Response, Problem> {
        let key = Idempotency::key(request)?;
        let note_id = key.map_or_else(|| self.clock.new_id(), |key| Note::id_under(&key));
        let (at, by) = (self.clock.now(), Principal::of(request));
        let note = Note { id: note_id, at, by, text };
        let next = |current: Option<&Annotations>| {
            Annotations::with_note(current, note.clone()).map_err(note_problem)
        };
        let (_, saved) = self.save(id, &IfMatch::Any, next).await?;
        // In an answer to a repetition, the time and the author are those of the first request.
        let added = saved.annotations().and_then(|annotations| annotations.note(note_id));
        let mut response = json_response(StatusCode::CREATED, added.unwrap_or(&note));
        match saved {
            Saved::Changed(_) => {
                let by = Principal::logged(request);
                info!(subscription.id = %id, note.id = %note_id, by, "added a note");
            }
            Saved::Unchanged(_) => {
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            }
        }
        Ok(response)
    }
}
