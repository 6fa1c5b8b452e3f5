//! The publisher's API, called in this process in the name of a member of the staff. So the console
//! decides nothing of its own: the API checks, records and audits what it does. What the pages read from
//! the table themselves leaves the same audit line.

use std::sync::Arc;

use bytes::Bytes;
use http::header::IF_MATCH;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::host::error_class::ErrorClass;
use shared::host::http::{Handler, Principal, Request};
use shared::publisher::audit::{Export, Shown, read_personal_data};
use tracing::error;

use shared::sign_in::Staff;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The functions that the API is made of.
pub(crate) struct Api {
    pub(crate) management: Arc<dyn Handler>,
    pub(crate) activation: Arc<dyn Handler>,
}

/// The API, as one person calls it.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) api: &'a Api,
    pub(crate) staff: &'a Staff,
    /// Whether the answers become a file.
    pub(crate) is_export: bool,
}

/// A call that the API refused, in its own words. They hold no secret and no internal error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) detail: String,
}

/// A call that changes something.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Null for a call without a body.
    pub(crate) body: Value,
    /// The version of the record that the person saw.
    pub(crate) version: Option<u64>,
    /// The same for each repetition of one form.
    pub(crate) key: Option<&'a str>,
}

impl Caller<'_> {
    /// The same for a file.
    #[must_use]
    pub(crate) fn exporting(self) -> Self {
        Self { is_export: true, ..self }
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: impl AsRef<str>,
    ) -> Result<T, Refusal> {
        let request = self.request(Method::GET, path.as_ref(), Bytes::new())?;
        let answer = self.send(request).await?;
        serde_json::from_slice(&answer).map_err(|error| {
            error!(%error, class = ErrorClass::Program.name(), "could not read an answer of the API");
            Refusal::internal()
        })
    }

    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Value, Refusal> {
        let body = match &call.body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let mut request = self.request(call.method, &call.path, body)?;
        let headers = request.headers_mut();
        if let Some(version) = call.version {
            let tag = HeaderValue::try_from(format!("\"{version}\"")).expect("digits in quotes");
            headers.insert(IF_MATCH, tag);
        }
        if let Some(key) = call.key.and_then(|key| HeaderValue::try_from(key).ok()) {
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        let answer = self.send(request).await?;
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request, Refusal> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| Refusal::unreadable())?;
        let Staff { name, object_id, .. } = self.staff;
        request.extensions_mut().insert(Principal::staff(name, *object_id));
        if self.is_export {
            request.extensions_mut().insert(Export);
        }
        Ok(request)
    }

    /// Logs that a page shows personal data which the console itself has read.
    pub(crate) fn shows(&self, page: &'static str, shown: Shown) {
        let mut request = Request::new(Bytes::new());
        let Staff { name, object_id, .. } = self.staff;
        request.extensions_mut().insert(Principal::staff(name, *object_id));
        read_personal_data(&request, page, shown);
    }

    async fn send(&self, request: Request) -> Result<Bytes, Refusal> {
        let function = match request.uri().path().ends_with("/activate") {
            true => &self.api.activation,
            false => &self.api.management,
        };
        let response = function.handle(request).await;
        match response.status() {
            status if status.is_success() => Ok(response.into_body()),
            status => Err(Refusal::read(status, response.body())),
        }
    }
}

impl Refusal {
    fn read(status: StatusCode, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Problem {
            code: String,
            detail: String,
        }
        let Problem { code, detail } = serde_json::from_slice(body).unwrap_or_default();
        Self { status, code, detail }
    }

    pub(crate) fn unknown_subscription() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "unknown_subscription".to_owned(),
            detail: "there is no record of this subscription".to_owned(),
        }
    }

    fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "internal".to_owned(),
            detail: "the answer can't be shown".to_owned(),
        }
    }

    /// An address that is not one of the API's.
    pub(crate) fn unreadable() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "malformed_request".to_owned(),
            detail: "the address can't be read".to_owned(),
        }
    }
}
