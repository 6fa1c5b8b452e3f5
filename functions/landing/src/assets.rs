//! What pages load from here, and from nowhere else: the script and the logo.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Uri};
use ring::digest::{SHA256, digest};
use shared::config::Logo;
use shared::host::http::Response;

/// The script. Every page works without it.
pub(crate) const SCRIPT: &str = "/landing/app.js";

/// The publisher's logo.
pub(crate) const LOGO: &str = "/landing/logo";

/// An asset, named by what is in it: a changed one has another address, and each may be kept.
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

    fn answer(&self, query: Option<&str>) -> Response {
        // While a new version is being deployed, an old address may meet a new asset.
        let is_named = query.and_then(|query| query.strip_prefix("v=")) == Some(&*self.version);
        let kept = if is_named { "public, max-age=31536000, immutable" } else { "no-cache" };
        let mut response = Response::new(self.bytes.clone());
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, self.content_type),
            (CACHE_CONTROL, kept),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            // A drawing that is opened by itself could run scripts of its own.
            (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Everything pages load.
pub(crate) struct Assets {
    script: Asset,
    logo: Option<Asset>,
}

impl Assets {
    /// The script, and a logo where there is one.
    pub(crate) fn new(logo: Option<Logo>) -> Self {
        let script = include_bytes!("../templates/app.js");
        Self {
            script: Asset::new("text/javascript; charset=utf-8", Bytes::from_static(script)),
            logo: logo.map(|logo| Asset::new(logo.content_type, logo.bytes.into())),
        }
    }

    /// Where a page finds the script.
    pub(crate) fn script_address(&self) -> String {
        format!("{SCRIPT}?v={}", self.script.version)
    }

    /// Where a page finds the logo.
    pub(crate) fn logo_address(&self) -> Option<String> {
        self.logo.as_ref().map(|logo| format!("{LOGO}?v={}", logo.version))
    }

    /// The asset at an address; `None` where there is none.
    pub(crate) fn answer(&self, uri: &Uri) -> Option<Response> {
        match uri.path() {
            SCRIPT => Some(self.script.answer(uri.query())),
            LOGO => self.logo.as_ref().map(|logo| logo.answer(uri.query())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_kept_under_the_address_that_names_its_content_alone() {
        let logo = Logo { content_type: "image/png", bytes: vec![1, 2, 3] };
        let assets = Assets::new(Some(logo));
        let kept = |address: &str| {
            let answer = assets.answer(&address.parse().expect("an address")).expect("an asset");
            answer.headers()[CACHE_CONTROL].clone()
        };
        for address in [assets.script_address(), assets.logo_address().expect("a logo")] {
            assert_eq!(kept(&address), "public, max-age=31536000, immutable");
            assert_eq!(kept(&format!("{address}0")), "no-cache");
        }
        assert_eq!(kept(SCRIPT), "no-cache");
        assert!(Assets::new(None).answer(&Uri::from_static(LOGO)).is_none());
        assert!(Assets::new(None).logo_address().is_none());
    }
}
