//! Sets the publisher's own reference and metadata. Microsoft is not asked, and the record's version stays.

use std::time::Duration;

use shared::domain::{AnnotationPatch, Annotations, Record, SubscriptionId};
use shared::host::http::{Principal, Problem, Request, Response};
use shared::store::{SaveError, StoreError};
use tracing::info;

use crate::Management;
use crate::error_code::ErrorCode;
use crate::if_match::{self, IfMatch};
use crate::problem::store_problem;

/// How often a patch is applied anew when another writer was faster. Each applies its patch to what the
/// other one has saved, so neither loses anything.
const ATTEMPTS: u32 = 5;

impl Management {
    pub(crate) async fn annotate(
        &self,
        id: SubscriptionId,
        patch: &AnnotationPatch,
        request: &Request,
    ) -> Result<Response, Problem> {
        let if_match = IfMatch::of(request)?;
        let (record, annotations) = self.save(id, patch, &if_match, Principal::of(request)).await?;
        Ok(if_match::answer(request, &record, annotations.as_ref()))
    }

    async fn save(
        &self,
        id: SubscriptionId,
        patch: &AnnotationPatch,
        if_match: &IfMatch,
        by: Option<String>,
    ) -> Result<(Record, Option<Annotations>), Problem> {
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
            let next = patch.apply(current.as_ref(), self.clock.now(), by.clone());
            let next = next.map_err(|error| ErrorCode::InvalidChange.with(error.to_string()))?;
            let Some(next) = next else { return Ok((record, current)) };
            match self.settings.annotations.save_annotations(id, &next).await {
                Ok(()) => {
                    info!(subscription.id = %id, revision = next.revision, "saved annotations");
                    return Ok((record, Some(next)));
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
