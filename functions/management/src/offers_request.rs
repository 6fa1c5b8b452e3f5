//! The body that replaces the settings of offers.

use serde_json::{Map, Value};
use shared::config::Offers;
use shared::host::http::Problem;
use shared::lenient::strict_object;
use shared::store::LARGEST_OFFERS;

use crate::error_code::{ErrorCode, malformed};

/// Reads it.
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
