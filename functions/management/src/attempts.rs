//! What receivers answered to the events that they did not accept.

use http::StatusCode;
use serde_json::json;
use shared::domain::SubscriptionId;
use shared::host::http::{Problem, Request, Response, json as json_response};
use shared::publisher::audit::{Shown, read_personal_data};
use shared::store::StoreError;

use crate::problem::store_problem;
use crate::{Management, cursor, route};

impl Management {
    /// A page of a subscription's attempts, the latest first.
    pub(crate) async fn attempts(
        &self,
        id: SubscriptionId,
        limit: u8,
        next: Option<&str>,
        request: &Request,
    ) -> Result<Response, Problem> {
        let page = self.settings.attempts.attempts(id, limit, next).await;
        let page = page.map_err(|error| match error {
            StoreError::BadPosition => cursor::not_a_cursor(),
            error => store_problem(error),
        })?;
        if page.items.is_empty() {
            self.record(id).await?;
        }
        read_personal_data(request, route::form(request), Shown::Attempts(id, page.items.len()));
        let next = page.next.as_deref().map(cursor::encode);
        Ok(json_response(StatusCode::OK, &json!({ "attempts": page.items, "next": next })))
    }
}
