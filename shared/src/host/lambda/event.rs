//! An HTTP event of Lambda (payload format 2.0) as a request, and a response as its answer.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Uri};
use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};

use crate::host::http::{GatewayHost, Principal, Request, Response};

/// Why an event holds no request.
///
/// Its text names no value: what is malformed may be a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("it is not an HTTP event of payload format 2.0")]
    Event,
    #[error("its path and query make no URI")]
    Uri,
    #[error("its cookies make no header")]
    Cookies,
    #[error("its body is not the base64 that it is said to be")]
    Body,
}

pub(super) fn request(event: &str) -> Result<Request, Malformed> {
    let event: ApiGatewayV2httpRequest =
        serde_json::from_str(event).map_err(|_| Malformed::Event)?;
    let path = path(&event);
    let uri: Uri = match event.raw_query_string.as_deref() {
        None | Some("") => path.parse(),
        Some(query) => format!("{path}?{query}").parse(),
    }
    .map_err(|_| Malformed::Uri)?;
    let body = match event.body {
        None => Bytes::new(),
        Some(body) if event.is_base64_encoded => {
            STANDARD.decode(body).map_err(|_| Malformed::Body)?.into()
        }
        Some(body) => body.into(),
    };
    let mut request = Request::new(body);
    *request.method_mut() = event.request_context.http.method;
    *request.uri_mut() = uri;
    *request.headers_mut() = event.headers;
    // API Gateway takes the cookies out of the headers.
    if let Some(cookies) = event.cookies {
        let cookies = HeaderValue::try_from(cookies.join("; ")).map_err(|_| Malformed::Cookies)?;
        request.headers_mut().insert(COOKIE, cookies);
    }
    if let Some(host) = event.request_context.domain_name {
        request.extensions_mut().insert(GatewayHost(host));
    }
    let iam = event.request_context.authorizer.and_then(|authorizer| authorizer.iam);
    if let Some((arn, key)) = iam.and_then(|iam| Some((iam.user_arn?, iam.access_key))) {
        request.extensions_mut().insert(Principal::new(arn).with_access_key_id(key));
    }
    Ok(request)
}

/// The path by which the gateway chose the route: without the stage's name and without a domain's
/// mapping key, both of which the gateway leaves in front of `rawPath`, and without a slash at the
/// end.
fn path(event: &ApiGatewayV2httpRequest) -> String {
    let whole = event.raw_path.as_deref().unwrap_or_default();
    let segments: Vec<&str> = whole.split('/').filter(|segment| !segment.is_empty()).collect();
    let before = segments.len().saturating_sub(match routed_segments(event) {
        Some(routed) => routed,
        // A catch-all or a function URL: only the stage's name may stand in front.
        None => {
            let stage = event.request_context.stage.as_deref();
            segments.len() - usize::from(stage.is_some() && segments.first().copied() == stage)
        }
    });
    format!("/{}", segments[before..].join("/"))
}

/// How many segments of the path belong to the route; `None` if the route names no path.
fn routed_segments(event: &ApiGatewayV2httpRequest) -> Option<usize> {
    let (_method, route) = event.route_key.as_deref()?.split_once(' ')?;
    let count = |path: &str| path.split('/').filter(|segment| !segment.is_empty()).count();
    let greedy = route.rsplit_once("/{").and_then(|(_, last)| last.strip_suffix("+}"));
    Some(match greedy {
        None => count(route),
        Some(name) => count(route) - 1 + count(event.path_parameters.get(name)?),
    })
}

pub(super) fn response(response: Response) -> ApiGatewayV2httpResponse {
    let (mut parts, body) = response.into_parts();
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = parts.status.as_u16().into();
    // The gateway joins equal headers with commas, which cookies don't survive.
    answer.cookies = parts
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|cookie| cookie.to_str().ok().map(str::to_owned))
        .collect();
    parts.headers.remove(SET_COOKIE);
    answer.headers = parts.headers;
    answer.body = match String::from_utf8(body.into()) {
        Ok(text) if text.is_empty() => None,
        Ok(text) => Some(Body::Text(text)),
        Err(bytes) => {
            answer.is_base64_encoded = true;
            Some(Body::Binary(bytes.into_bytes()))
        }
    };
    answer
}
