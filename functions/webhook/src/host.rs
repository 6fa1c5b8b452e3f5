//! The host that Microsoft called.

use http::header::HOST;
use shared::host::http::{GatewayHost, Request};
use shared::store::Sighting;

/// The longest name of a host with a port, in characters.
const LONGEST: usize = 260;

/// The call, to be noted. The gateway names the host; where there is none, the call does.
pub(crate) fn sighting(request: &Request) -> Sighting {
    let named = || request.headers().get(HOST)?.to_str().ok();
    let host = match request.extensions().get::<GatewayHost>() {
        Some(GatewayHost(host)) => Some(host.as_str()),
        None => named(),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    let host = host.filter(|host| host.len() <= LONGEST && host.bytes().all(is_plain));
    Sighting::Webhook { host: host.unwrap_or_default().to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn host(gateway: Option<&str>, header: Option<&str>) -> Sighting {
        let mut request = Request::default();
        if let Some(host) = gateway {
            request.extensions_mut().insert(GatewayHost(host.to_owned()));
        }
        if let Some(host) = header {
            request.headers_mut().insert(HOST, HeaderValue::from_str(host).expect("a header"));
        }
        sighting(&request)
    }

    #[test]
    fn the_gateway_names_the_host_and_without_one_the_call_does_if_it_is_plain() {
        let long = "a".repeat(261);
        for (gateway, header, expected) in [
            (Some("signup.example.com"), Some("evil.example"), "signup.example.com"),
            (None, Some("Signup.Example.com:8443"), "signup.example.com:8443"),
            (None, Some("[::1]:8080"), "[::1]:8080"),
            (None, Some("a b"), ""),
            (None, Some("a#b"), ""),
            (None, Some(long.as_str()), ""),
            (None, None, ""),
        ] {
            let expected = Sighting::Webhook { host: expected.to_owned() };
            assert_eq!(host(gateway, header), expected, "{gateway:?} {header:?}");
        }
    }
}
