//! The files that pages load: the script and the logo. Pages load no others.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Uri};
use ring::digest::{SHA256, digest};
use shared::config::Logo;
use shared::host::http::Response;

/// Every page works without it.
pub(crate) const SCRIPT: &str = "/landing/app.js";

pub(crate) const LOGO: &str = "/landing/logo";

/// A file whose address contains a hash of its bytes. Browsers may cache that address forever.
struct Asset {
    content_type: &'static str,
    version: String,
    bytes: Bytes,
}

impl Asset {
    fn new(content_type: &'static str, bytes: Bytes) -> Self {
        let hash = digest(&SHA256, &bytes);
        let version = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { content_type, version, bytes }
    }

    fn logo_address(&self) -> String {
        format!("{LOGO}?v={}", self.version)
    }

    fn is_at(&self, query: Option<&str>) -> bool {
        query.and_then(|query| query.strip_prefix("v=")) == Some(&*self.version)
    }

    fn answer(&self, query: Option<&str>) -> Response {
        // During a deployment, an address of the old version may reach a function of the new one.
        let cache_control =
            if self.is_at(query) { "public, max-age=31536000, immutable" } else { "no-cache" };
        let mut response = Response::new(self.bytes.clone());
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, self.content_type),
            (CACHE_CONTROL, cache_control),
            // An SVG that is opened as a page could otherwise run its own scripts.
            (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

pub(crate) struct Assets {
    script: Asset,
    /// All at the same path: the hash in the address says which one it is.
    logos: Vec<Asset>,
}

impl Assets {
    pub(crate) fn new() -> Self {
        let script = include_bytes!("../templates/app.js");
        let script = Asset::new("text/javascript; charset=utf-8", Bytes::from_static(script));
        Self { script, logos: Vec::new() }
    }

    /// Adds a logo, and returns its address. The first one is also at addresses of other versions.
    pub(crate) fn add_logo(&mut self, logo: Logo) -> String {
        let logo = Asset::new(logo.content_type, logo.bytes.into());
        let address = logo.logo_address();
        if !self.logos.iter().any(|known| known.version == logo.version) {
            self.logos.push(logo);
        }
        address
    }

    pub(crate) fn script_address(&self) -> String {
        format!("{SCRIPT}?v={}", self.script.version)
    }

    pub(crate) fn answer(&self, uri: &Uri) -> Option<Response> {
        match uri.path() {
            SCRIPT => Some(self.script.answer(uri.query())),
            LOGO => {
                let named = self.logos.iter().find(|logo| logo.is_at(uri.query()));
                named.or(self.logos.first()).map(|logo| logo.answer(uri.query()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_may_be_cached_only_under_the_address_with_its_hash() {
        let logo = |bytes: &[u8]| Logo { content_type: "image/png", bytes: bytes.into() };
        let mut assets = Assets::new();
        assert!(assets.answer(&Uri::from_static(LOGO)).is_none());
        let [light, dark] = [&[1, 2, 3][..], &[4]].map(|bytes| assets.add_logo(logo(bytes)));
        assert_eq!(assets.add_logo(logo(&[4])), dark, "of another offer");
        let cache_control = |address: &str| {
            let answer = assets.answer(&address.parse().expect("an address")).expect("an asset");
            answer.headers()[CACHE_CONTROL].clone()
        };
        let body = |address: &str| {
            let answer = assets.answer(&address.parse().expect("an address")).expect("an asset");
            answer.into_body().to_vec()
        };
        assert_eq!((body(&light), body(&dark)), (vec![1, 2, 3], vec![4]));
        assert_eq!(body(LOGO), [1, 2, 3], "an address of another version");
        for address in [assets.script_address(), light, dark] {
            assert_eq!(cache_control(&address), "public, max-age=31536000, immutable");
            assert_eq!(cache_control(&format!("{address}0")), "no-cache");
        }
        assert_eq!(cache_control(SCRIPT), "no-cache");
    }
}
