//! Signature Version 4 for API Gateway, as IAM wants it.

use std::sync::Arc;
use std::time::SystemTime;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use shared::outbound::{Https, for_aws};
use url::Url;

use crate::arguments::Reach;
use crate::failure::Failure;

/// Who signs, and for where.
pub struct Signer {
    credentials: Credentials,
    region: String,
}

impl Signer {
    /// Finds credentials as every tool of AWS's does: environment, profile, sign-on.
    pub async fn find(reach: &Reach) -> Result<Self, Failure> {
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(for_aws(Arc::new(Https::default())))
            .load()
            .await;
        let region = reach.region.clone().or_else(|| region_of(&reach.url));
        let region = region.or_else(|| loader.region().map(ToString::to_string));
        let region = region.ok_or_else(|| Failure::Unsigned("no region is given".to_owned()))?;
        let provider = loader.credentials_provider();
        let provider =
            provider.ok_or_else(|| Failure::Unsigned("no credentials are given".to_owned()))?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| Failure::Unsigned(error.to_string()))?;
        Ok(Self { credentials, region })
    }

    /// Signs a request.
    pub fn sign(&self, request: &mut http::Request<Bytes>) -> Result<(), Failure> {
        let unsigned = |error: &dyn std::fmt::Display| Failure::Unsigned(error.to_string());
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("execute-api")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsigned(&error))?;
        let uri = request.uri().to_string();
        let headers: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let body = SignableBody::Bytes(request.body());
        let signable =
            SignableRequest::new(request.method().as_str(), &uri, headers.into_iter(), body)
                .map_err(|error| unsigned(&error))?;
        let (instructions, _) =
            sign(signable, &parameters.into()).map_err(|error| unsigned(&error))?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

/// Whether an address is API Gateway's own, which takes signed requests.
pub fn is_gateway(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host.contains(".execute-api."))
}

/// The region in `k7wq2m9xva.execute-api.eu-north-1.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    let (_, rest) = url.host_str()?.split_once(".execute-api.")?;
    rest.split('.').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_in_the_address_of_a_gateway_and_in_no_other() {
        for (address, region) in [
            (
                "https://k7wq2m9xva.execute-api.eu-north-1.amazonaws.com/subscriptions",
                Some("eu-north-1"),
            ),
            ("https://a.execute-api.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("https://api.example.com", None),
            ("http://127.0.0.1:8080", None),
        ] {
            let url: Url = address.parse().expect("an address");
            assert_eq!(region_of(&url).as_deref(), region, "{address}");
            assert_eq!(is_gateway(&url), region.is_some(), "{address}");
        }
    }
}
