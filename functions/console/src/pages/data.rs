//! Everything that is kept about one subscription, as a file: what a customer may ask for.

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use shared::domain::SubscriptionId;
use shared::host::http::{Response, empty};

use super::Pages;
use crate::api::Refusal;

impl Pages<'_> {
    pub(crate) async fn data(self, id: SubscriptionId) -> Result<Response, Refusal> {
        let path = format!("/subscriptions/{id}");
        let caller = self.caller.exporting();
        let record: Value = caller.get(&path).await?;
        let (mut events, mut after) = (Vec::new(), "0".to_owned());
        loop {
            let mut page: Value = caller.get(format!("{path}/events?after={after}")).await?;
            if let Value::Array(mut more) = page["events"].take() {
                events.append(&mut more);
            }
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        let mut notes: Value = caller.get(format!("{path}/notes")).await?;
        let data = json!({ "record": record, "events": events, "notes": notes["notes"].take() });
        let mut response = empty(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let attachment = format!("attachment; filename=\"{id}.json\"");
        let attachment = HeaderValue::try_from(attachment).expect("a GUID is header text");
        headers.insert(CONTENT_DISPOSITION, attachment);
        *response.body_mut() = serde_json::to_vec_pretty(&data).unwrap_or_default().into();
        Ok(response)
    }
}
