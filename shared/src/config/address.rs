//! Addresses among the settings.

use std::str::FromStr;

use url::Url;

use crate::host::address::is_private;

/// An address that receives signed messages: https, or http on this machine.
pub(super) struct HttpsAddress(pub(super) http::Uri);

impl FromStr for HttpsAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| "is not an address")?;
        if !is_private(&url) {
            return Err("must be https, except on this machine");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold credentials; messages to it are signed");
        }
        if url.fragment().is_some() {
            return Err("must not have a fragment");
        }
        url.as_str().parse().map(Self).map_err(|_| "is not an address")
    }
}
