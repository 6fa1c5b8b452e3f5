//! AWS Signature Version 4, for requests to AWS that no SDK of ours sends.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningError as SigV4Error, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use thiserror::Error;

/// Why a request can't be signed.
#[derive(Debug, Error)]
pub enum SigningError {
    #[error(transparent)]
    Parameters(#[from] v4::signing_params::BuildError),
    #[error(transparent)]
    Signature(#[from] SigV4Error),
}

/// Signs a request for this region and service, such as `execute-api`. Add all headers before it.
pub fn sign_request(
    request: &mut http::Request<Bytes>,
    credentials: &Credentials,
    region: &str,
    service: &str,
) -> Result<(), SigningError> {
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?;
    let uri = request.uri().to_string();
    let headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let body = SignableBody::Bytes(request.body());
    let signable =
        SignableRequest::new(request.method().as_str(), &uri, headers.into_iter(), body)?;
    let (instructions, _) = sign(signable, &parameters.into())?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}
