//! What single offers have of their own on the landing page. The landing page reads it within a minute.

use std::time::Duration;

use http::header::ETAG;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};
use shared::config::Offers;
use shared::host::http::{Principal, Problem, Request, Response, json};
use shared::lenient::strict_object;
use shared::store::{LARGEST_OFFERS, SaveError, StoreError, StoredOffers};
use tracing::info;

use crate::Management;
use crate::error_code::{ErrorCode, malformed};
use crate::if_match::{IfMatch, tag};
use crate::problem::store_problem;

/// How often they are written anew while another writer is faster.
const ATTEMPTS: u32 = 5;

/// Reads the body of a request that replaces them.
pub(crate) fn parse(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let offers: Map<String, Value> = strict_object(body)
        .ok_or_else(|| malformed("the body must be a JSON object by offer id"))?;
    if let Err(error) = Offers::read(&offers) {
        let offer = error.offer().map(|offer| format!("the offer `{offer}`"));
        let offer = offer.unwrap_or_else(|| "the body".to_owned());
        return Err(ErrorCode::InvalidOffers.with(format!("{offer} {error}")));
    }
    if Value::Object(offers.clone()).to_string().len() > LARGEST_OFFERS {
        let most = LARGEST_OFFERS / 1024;
        return Err(ErrorCode::InvalidOffers.with(format!("the offers have more than {most} KB")));
    }
    Ok(offers)
}

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
                    let by = Principal::of(request);
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
