//! Saves the publisher's own reference, metadata and notes. Microsoft is not asked, and the record's version stays.

use std::time::Duration;

use shared::domain::{AnnotationPatch, Annotations, Record, SubscriptionId};
use shared::host::http::{Principal, Problem, Request, Response};
use shared::store::{SaveError, StoreError};
use tracing::info;

use crate::Management;
use crate::error_code::ErrorCode;
use crate::if_match::{self, IfMatch};
use crate::problem::store_problem;

/// How often a change is made anew when another writer was faster. Each changes what the other one has saved, so
/// neither loses anything.
const ATTEMPTS: u32 = 5;

/// The annotations after a request.
pub(crate) enum Saved {
    Changed(Annotations),
    Unchanged(Option<Annotations>),
}

impl Saved {
    pub(crate) fn annotations(&self) -> Option<&Annotations> {
        match self {
            Self::Changed(annotations) => Some(annotations),
            Self::Unchanged(annotations) => annotations.as_ref(),
        }
    }
}

impl Management {
    pub(crate) async fn annotate(
        &self,
        id: SubscriptionId,
        patch: &AnnotationPatch,
        request: &Request,
    ) -> Result<Response, Problem> {
        let (if_match, by) = (IfMatch::of(request)?, Principal::of(request));
        let next = |current: Option<&Annotations>| {
            let next = patch.apply(current, self.clock.now(), by.clone());
            next.map_err(|error| ErrorCode::InvalidChange.with(error.to_string()))
        };
        let (record, saved) = self.save(id, &if_match, next).await?;
        Ok(if_match::answer(request, &record, saved.annotations()))
    }

    /// Saves what follows the annotations, as `next` says. If that is nothing, they stay as they are.
    pub(crate) async fn save(
        &self,
        id: SubscriptionId,
        if_match: &IfMatch,
        next: impl Fn(Option<&Annotations>) -> Result<Option<Annotations>, Problem>,
    ) -> Result<(Record, Saved), Problem> {
        for attempt in 1..=ATTEMPTS {
            // In this order: an erasure writes the record before the annotations. One that this record does
            // not show yet makes the save below meet a conflict.
            let current = self.annotations(id).await?;
            let record = self.record(id).await?;
            if_match.check(&record)?;
            if record.is_erased() {
                return Err(ErrorCode::PersonalDataErased
                    .with("the personal data was erased, and nothing is noted about it any more"));
            }
            let Some(next) = next(current.as_ref())? else {
                return Ok((record, Saved::Unchanged(current)));
            };
            match self.settings.annotations.save_annotations(id, &next).await {
                Ok(()) => {
                    info!(subscription.id = %id, revision = next.revision, "saved annotations");
                    return Ok((record, Saved::Changed(next)));
                }
                Err(SaveError::Conflict) => {
                    self.clock.sleep(Duration::from_millis(u64::from(10 * attempt))).await;
                }
                Err(SaveError::Store(error)) => return Err(store_problem(error)),
            }
        }
        Err(store_problem(StoreError::Contended))
    }

    pub(crate) async fn annotations(
        &self,
        id: SubscriptionId,
    ) -> Result<Option<Annotations>, Problem> {
        self.settings.annotations.annotations(id).await.map_err(store_problem)
    }
}
