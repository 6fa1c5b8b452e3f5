//! What every call must have: the API version, an access token, and a JSON body or none.

use super::super::error_form::ErrorForm;
use super::super::state::World;
use super::errors::{bad_request, version_error};
use super::route::Route;
use crate::wire::{ApiRequest, Reply};
use serde_json::{Map, Value};

/// The only version that exists (F-GEN-2).
pub(super) const API_VERSION: &str = "2018-08-31";

impl World {
    /// Checks API version, access token and body. An `Err` is the answer to a bad one.
    pub(super) fn admit(
        &self,
        request: &ApiRequest,
        route: Result<Route, Reply>,
    ) -> Result<Route, Reply> {
        let route = route?;
        match request.parameter("api-version").as_deref() {
            Some(API_VERSION) => {}
            None => {
                return Err(version_error("ApiVersionUnspecified", "An API version is required."));
            }
            Some(_) => {
                return Err(version_error(
                    "UnsupportedApiVersion",
                    "The API version is not supported.",
                ));
            }
        }
        let token = request
            .header("authorization")
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        if !token.is_some_and(|token| self.entra.accepts_at_marketplace(token)) {
            // One text for all causes (F-AUTH-13).
            let message = "The token is missing, invalid or expired, or belongs to another \
                           application than the offer's.";
            let status = self.settings.behaviour.unauthorized_status;
            return Err(ErrorForm::BareString.reply(status, "", message));
        }
        if !route.takes_body() && !request.body.is_empty() {
            return Err(bad_request("body", "The request takes no body."));
        }
        if route.takes_body() {
            let is_json = request
                .header("content-type")
                .is_some_and(|value| value.starts_with("application/json"));
            if !is_json && !request.body.is_empty() {
                return Err(ErrorForm::Object.reply(
                    415,
                    "UnsupportedMediaType",
                    "The body must be JSON.",
                ));
            }
        }
        Ok(route)
    }
}

/// The body as a JSON object. An `Err` is the answer to any other body.
pub(super) fn json_object(request: &ApiRequest) -> Result<Map<String, Value>, Reply> {
    match request.json() {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(bad_request("body", "The body must be a JSON object.")),
    }
}
