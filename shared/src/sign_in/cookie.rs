//! Sets, reads and clears the two cookies. A value that is too long for one cookie is split.

use std::time::Duration;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use super::seal::CookieKind;
use crate::host::http::cookies;

/// Browsers drop a cookie with more than 4096 bytes of name, value and attributes.
const LONGEST_PART: usize = 3800;

/// API Gateway accepts 10,240 bytes of request headers, and browsers send other headers, too. With
/// more parts, every later request of the visitor would fail.
const MOST_PARTS: usize = 2;

/// The names of a page's two cookies.
#[derive(Clone, Copy, Debug)]
pub struct CookieNames {
    pub round_trip: &'static str,
    pub session: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cookies {
    pub(super) names: CookieNames,
    /// True over HTTPS. The prefix `__Host-` then keeps other hosts of the domain from setting
    /// these cookies, and `Secure` keeps browsers from sending them unencrypted. Over plain HTTP,
    /// on a developer's machine, browsers would refuse both.
    pub(super) secure: bool,
}

impl Cookies {
    /// The first part has the plain name.
    fn name(self, kind: CookieKind, part: usize) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        let name = match kind {
            CookieKind::RoundTrip => self.names.round_trip,
            CookieKind::Session => self.names.session,
        };
        match part {
            0 => format!("{prefix}{name}"),
            _ => format!("{prefix}{name}-{}", part + 1),
        }
    }

    /// A cookie's value, joined from its parts.
    pub(super) fn get(self, headers: &HeaderMap, kind: CookieKind) -> Option<String> {
        let first = self.part(headers, kind, 0)?;
        // A split value begins with the number of its parts, because the browser may still hold the
        // second part of an older value. A value in one part has no number.
        let Some((parts, first)) = first.split_once('.') else { return Some(first.to_owned()) };
        let parts: usize = parts.parse().ok().filter(|parts| (2..=MOST_PARTS).contains(parts))?;
        let mut value = first.to_owned();
        for part in 1..parts {
            value.push_str(self.part(headers, kind, part)?);
        }
        Some(value)
    }

    fn part(self, headers: &HeaderMap, kind: CookieKind, part: usize) -> Option<&str> {
        let expected = self.name(kind, part);
        cookies(headers).find_map(|(name, value)| (name == expected).then_some(value))
    }

    /// Adds the headers that set a cookie. `None` if the value is too long for all parts.
    ///
    /// The cookies are `SameSite=Lax`: browsers send them with Entra's redirect, and not with a
    /// form of another site.
    pub(super) fn set(
        self,
        headers: &mut HeaderMap,
        kind: CookieKind,
        value: &str,
        max_age: Duration,
    ) -> Option<()> {
        if value.len() <= LONGEST_PART {
            headers.append(SET_COOKIE, self.header(kind, 0, value, max_age));
            return Some(());
        }
        let parts = value.len().div_ceil(LONGEST_PART);
        if parts > MOST_PARTS {
            return None;
        }
        let (mut rest, mut prefix) = (value, format!("{parts}."));
        for part in 0..parts {
            let (chunk, after) = rest.split_at_checked(LONGEST_PART).unwrap_or((rest, ""));
            let chunk = format!("{}{chunk}", std::mem::take(&mut prefix));
            headers.append(SET_COOKIE, self.header(kind, part, &chunk, max_age));
            rest = after;
        }
        Some(())
    }

    /// Adds the headers that clear a cookie, with every part that the browser sent.
    pub(super) fn clear(self, headers: &mut HeaderMap, kind: CookieKind, sent: &HeaderMap) {
        for part in 0..MOST_PARTS {
            if part == 0 || self.part(sent, kind, part).is_some() {
                headers.append(SET_COOKIE, self.header(kind, part, "", Duration::ZERO));
            }
        }
    }

    fn header(self, kind: CookieKind, part: usize, value: &str, max_age: Duration) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            self.name(kind, part),
            max_age.as_secs()
        );
        let mut header = HeaderValue::try_from(cookie).expect("base64 is header text");
        header.set_sensitive(true);
        header
    }
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    const MAX_AGE: Duration = Duration::from_secs(900);

    fn cookies(secure: bool) -> Cookies {
        let names = CookieNames { round_trip: "landing", session: "landing-session" };
        Cookies { names, secure }
    }

    fn set(cookies: Cookies, value: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        let fits = cookies.set(&mut headers, CookieKind::RoundTrip, value, MAX_AGE).is_some();
        assert_eq!(fits, !headers.is_empty());
        headers.values().map(|value| value.to_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn over_https_a_cookie_is_bound_to_its_host() {
        let cookies = cookies(true);
        let attributes = "Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(set(cookies, "abc"), [format!("__Host-landing=abc; {attributes}")]);
        let (mut headers, mut sent) = (HeaderMap::new(), HeaderMap::new());
        cookies.clear(&mut headers, CookieKind::Session, &sent);
        assert_eq!(headers.len(), 1);
        assert_eq!(
            headers[SET_COOKIE],
            "__Host-landing-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
        );
        sent.append(COOKIE, HeaderValue::from_static("__Host-landing-session-2=x"));
        cookies.clear(&mut headers, CookieKind::Session, &sent);
        assert_eq!(headers.len(), 3, "a second part that the browser sent is cleared, too");
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let cookies = cookies(true);
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("landing=x; my__Host-landing=y"));
        headers.append(COOKIE, HeaderValue::from_static("a=b;__Host-landing=z=; c=d"));
        assert_eq!(cookies.get(&headers, CookieKind::RoundTrip).as_deref(), Some("z="));
        assert_eq!(cookies.get(&headers, CookieKind::Session), None);
    }

    #[test]
    fn a_long_value_is_split_into_parts_that_a_browser_keeps() {
        let cookies = cookies(true);
        let value: String = ('a'..='z').cycle().take(7_600).collect();
        let parts = set(cookies, &value);
        assert_eq!(parts.len(), 2);
        let mut headers = HeaderMap::new();
        // The parts may come in another order, and in several headers.
        for part in parts.iter().rev() {
            assert!(part.len() <= 4096, "{}", part.len());
            let pair = part.split(';').next().expect("a pair");
            headers.append(COOKIE, HeaderValue::from_str(pair).expect("text"));
        }
        assert_eq!(cookies.get(&headers, CookieKind::RoundTrip), Some(value.clone()));
        let mut first = HeaderMap::new();
        first.append(COOKIE, headers.get_all(COOKIE).iter().nth(1).expect("it").clone());
        assert_eq!(
            cookies.get(&first, CookieKind::RoundTrip),
            None,
            "the first part alone is no value"
        );
        assert_eq!(
            set(cookies, &format!("{value}x")),
            [""; 0],
            "a value that is too long sets no cookie"
        );
        assert_eq!(set(cookies, &value[..3_800]).len(), 1);
    }

    #[test]
    fn a_cookie_with_an_impossible_number_of_parts_is_ignored() {
        let cookies = cookies(false);
        for value in ["9999999999.a", "3.a", "1.a", "0.a", "-1.a", ".a", "x.a", "2.a"] {
            let mut headers = HeaderMap::new();
            let cookie = HeaderValue::from_str(&format!("landing={value}")).expect("text");
            headers.append(COOKIE, cookie);
            assert_eq!(cookies.get(&headers, CookieKind::RoundTrip), None, "{value}");
        }
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("landing=abc; landing-2=old"));
        assert_eq!(cookies.get(&headers, CookieKind::RoundTrip).as_deref(), Some("abc"));
    }
}
