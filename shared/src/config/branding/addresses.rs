//! Addresses that buyers are shown or sent to.

use url::{Host, Url};

use crate::host::address::is_private;

/// Where buyers find help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// An e-mail address.
    Mail(String),
    /// An https address.
    Page(String),
}

/// Where the publisher's own sign-up page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignUpPage(Url);

impl SignUpPage {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is not an address")?;
        if !is_private(&url) {
            return Err("must be https, except on this machine");
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("must have neither credentials nor a fragment");
        }
        // The page's content security policy names the host, where other characters mean something else.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
        match url.host() {
            Some(Host::Domain(domain)) if !domain.chars().all(is_plain) => {
                Err("has a host that is no name of the internet's")
            }
            _ => Ok(Self(url)),
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// As in `https://app.example.com`.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

pub(super) fn support(text: &str) -> Result<Support, &'static str> {
    if is_email(text) {
        return Ok(Support::Mail(text.to_owned()));
    }
    https(text).map(Support::Page).ok_or("is neither an e-mail address nor an https page")
}

pub(super) fn page(text: &str) -> Result<String, &'static str> {
    https(text).ok_or("is not an https address")
}

fn https(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_fit = url.scheme() == "https"
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none();
    is_fit.then(|| url.into())
}

/// Whether a text looks like an e-mail address, by the rule that browsers use. Only the mail server
/// knows whether the address exists.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_local = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254
        && !local.is_empty()
        && local.chars().all(is_local)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}
