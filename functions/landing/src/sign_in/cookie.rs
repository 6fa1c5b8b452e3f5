//! The two cookies, as a browser is to keep them.

use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::seal::Kind;

/// How cookies are called and marked here.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    /// Over HTTPS: the prefix `__Host-` keeps every other host of the domain from setting them, and
    /// `Secure` keeps them off the wire. Without it, on one machine, browsers would refuse both.
    pub secure: bool,
}

impl Cookies {
    fn name(self, kind: Kind) -> &'static str {
        match (kind, self.secure) {
            (Kind::RoundTrip, true) => "__Host-landing",
            (Kind::RoundTrip, false) => "landing",
            (Kind::Session, true) => "__Host-landing-session",
            (Kind::Session, false) => "landing-session",
        }
    }

    /// A cookie's value, from whatever a browser sends.
    pub fn get(self, headers: &HeaderMap, kind: Kind) -> Option<&str> {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|pairs| pairs.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, value)| (name == self.name(kind)).then_some(value))
    }

    /// The header that keeps a value. `Lax`: Entra sends the buyer back from another site, and a
    /// form of another site brings nothing along.
    pub fn set(self, kind: Kind, value: &str, lives: Duration) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            self.name(kind),
            lives.as_secs()
        );
        let mut header = HeaderValue::try_from(cookie).expect("base64 is header text");
        header.set_sensitive(true);
        header
    }

    /// The header that makes a browser forget.
    pub fn forget(self, kind: Kind) -> HeaderValue {
        self.set(kind, "", Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_a_cookie_is_bound_to_its_host() {
        let cookies = Cookies { secure: true };
        let set = cookies.set(Kind::RoundTrip, "abc", Duration::from_secs(900));
        assert_eq!(
            set.to_str().expect("text"),
            "__Host-landing=abc; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure"
        );
        let forget = cookies.forget(Kind::Session);
        assert_eq!(
            forget.to_str().expect("text"),
            "__Host-landing-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let cookies = Cookies { secure: true };
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("landing=x; my__Host-landing=y"));
        headers.append(COOKIE, HeaderValue::from_static("a=b;__Host-landing=z=; c=d"));
        assert_eq!(cookies.get(&headers, Kind::RoundTrip), Some("z="));
        assert_eq!(cookies.get(&headers, Kind::Session), None);
    }
}
