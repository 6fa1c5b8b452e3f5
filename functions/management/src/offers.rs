//! What single offers have of their own on the landing page. The landing page reads it within a minute.

use std::time::Duration;

use http::header::ETAG;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};
use shared::host::http::{Principal, Problem, Request, Response, json};
use shared::store::{SaveError, StoreError, StoredOffers};
use tracing::info;

use crate::Management;
use crate::error_code::ErrorCode;
use crate::if_match::{IfMatch, tag};
use crate::problem::store_problem;

/// How often they are written anew while another writer is faster.
const ATTEMPTS: u32 = 5;

impl Management {
    pub(crate) async fn offers(&self) -> Result<Response, Problem> {
        Ok(answer(&self.settings.offers.offers().await.map_err(store_problem)?))
    }

    /// Replaces all of them. Without any, the landing page has the settings of the functions alone.
    pub(crate) async fn set_offers(
        &self,
        offers: &Map<String, Value>,
        request: &Request,
    ) -> Result<Response, Problem> {
        let if_match = IfMatch::of(request)?;
        for attempt in 1..=ATTEMPTS {
            let current = self.settings.offers.offers().await.map_err(store_problem)?;
            if !if_match.allows(current.revision) {
                return Err(ErrorCode::VersionMismatch.with(format!(
                    "the offers have version {}; look at them before asking again",
                    current.revision
                )));
            }
            let next = StoredOffers { revision: current.revision + 1, offers: offers.clone() };
            match self.settings.offers.save_offers(&next).await {
                Ok(()) => {
                    let (count, revision) = (next.offers.len(), next.revision);
                    let by = Principal::logged(request);
                    info!(revision, count, by, "changed the settings of offers");
                    return Ok(answer(&next));
                }
                Err(SaveError::Conflict) => {
                    self.clock.sleep(Duration::from_millis(u64::from(10 * attempt))).await;
                }
                Err(SaveError::Store(error)) => return Err(store_problem(error)),
            }
        }
        Err(store_problem(StoreError::Contended))
    }
}

/// The offers as they were written.
fn answer(stored: &StoredOffers) -> Response {
    let mut response = json(StatusCode::OK, &stored.offers);
    if let Ok(tag) = HeaderValue::try_from(tag(stored.revision)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
