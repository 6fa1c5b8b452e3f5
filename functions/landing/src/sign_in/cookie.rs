//! The two cookies, as a browser is to keep them. A long one travels in parts.

use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::seal::Kind;

/// Browsers drop a cookie with more than 4096 bytes of name, value and attributes.
const LONGEST_PART: usize = 3800;

/// As much as API Gateway lets through in the headers of one request, 10,240 bytes with everything
/// else a browser sends. A cookie of more parts would be set and then keep its owner out.
const MOST_PARTS: usize = 2;

/// How cookies are called and marked here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookies {
    /// Over HTTPS: the prefix `__Host-` keeps every other host of the domain from setting them, and
    /// `Secure` keeps them off the wire. Without it, on one machine, browsers would refuse both.
    pub secure: bool,
}

impl Cookies {
    /// What a part is called. The first has the plain name.
    fn name(self, kind: Kind, part: usize) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        let name = match kind {
            Kind::RoundTrip => "landing",
            Kind::Session => "landing-session",
        };
        match part {
            0 => format!("{prefix}{name}"),
            _ => format!("{prefix}{name}-{}", part + 1),
        }
    }

    /// A cookie's value, from whatever a browser sends.
    pub(super) fn get(self, headers: &HeaderMap, kind: Kind) -> Option<String> {
        let first = self.part(headers, kind, 0)?;
        // The number of parts stands in front, since an old second one may still be about; a value
        // in one part has none.
        let Some((parts, first)) = first.split_once('.') else { return Some(first.to_owned()) };
        let parts: usize = parts.parse().ok().filter(|parts| (2..=MOST_PARTS).contains(parts))?;
        let mut value = first.to_owned();
        for part in 1..parts {
            value.push_str(self.part(headers, kind, part)?);
        }
        Some(value)
    }

    fn part(self, headers: &HeaderMap, kind: Kind, part: usize) -> Option<&str> {
        let wanted = self.name(kind, part);
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|pairs| pairs.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, value)| (name == wanted).then_some(value))
    }

    /// Adds the headers that keep a value; `None` where it is longer than anything a browser brings
    /// back. `Lax`: Entra sends the buyer back from another site, and a form of another site brings
    /// nothing along.
    pub(super) fn set(
        self,
        headers: &mut HeaderMap,
        kind: Kind,
        value: &str,
        lives: Duration,
    ) -> Option<()> {
        if value.len() <= LONGEST_PART {
            headers.append(SET_COOKIE, self.header(kind, 0, value, lives));
            return Some(());
        }
        let parts = value.len().div_ceil(LONGEST_PART);
        if parts > MOST_PARTS {
            return None;
        }
        let (mut rest, mut count) = (value, format!("{parts}."));
        for part in 0..parts {
            let (this, after) = rest.split_at_checked(LONGEST_PART).unwrap_or((rest, ""));
            let this = format!("{}{this}", std::mem::take(&mut count));
            headers.append(SET_COOKIE, self.header(kind, part, &this, lives));
            rest = after;
        }
        Some(())
    }

    /// Adds the headers that make a browser forget what it sent.
    pub(super) fn forget(self, headers: &mut HeaderMap, kind: Kind, sent: &HeaderMap) {
        for part in 0..MOST_PARTS {
            if part == 0 || self.part(sent, kind, part).is_some() {
                headers.append(SET_COOKIE, self.header(kind, part, "", Duration::ZERO));
            }
        }
    }

    fn header(self, kind: Kind, part: usize, value: &str, lives: Duration) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            self.name(kind, part),
            lives.as_secs()
        );
        let mut header = HeaderValue::try_from(cookie).expect("base64 is header text");
        header.set_sensitive(true);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVES: Duration = Duration::from_secs(900);

    fn set(cookies: Cookies, value: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        let fits = cookies.set(&mut headers, Kind::RoundTrip, value, LIVES).is_some();
        assert_eq!(fits, !headers.is_empty());
        headers.values().map(|value| value.to_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn over_https_a_cookie_is_bound_to_its_host() {
        let cookies = Cookies { secure: true };
        let attributes = "Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(set(cookies, "abc"), [format!("__Host-landing=abc; {attributes}")]);
        let (mut headers, mut sent) = (HeaderMap::new(), HeaderMap::new());
        cookies.forget(&mut headers, Kind::Session, &sent);
        assert_eq!(headers.len(), 1);
        assert_eq!(
            headers[SET_COOKIE],
            "__Host-landing-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
        );
        sent.append(COOKIE, HeaderValue::from_static("__Host-landing-session-2=x"));
        cookies.forget(&mut headers, Kind::Session, &sent);
        assert_eq!(headers.len(), 3, "a second part that is about goes as well");
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let cookies = Cookies { secure: true };
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("landing=x; my__Host-landing=y"));
        headers.append(COOKIE, HeaderValue::from_static("a=b;__Host-landing=z=; c=d"));
        assert_eq!(cookies.get(&headers, Kind::RoundTrip).as_deref(), Some("z="));
        assert_eq!(cookies.get(&headers, Kind::Session), None);
    }

    #[test]
    fn a_long_value_travels_in_parts_that_a_browser_keeps() {
        let cookies = Cookies { secure: true };
        let value: String = ('a'..='z').cycle().take(7_600).collect();
        let parts = set(cookies, &value);
        assert_eq!(parts.len(), 2);
        let mut headers = HeaderMap::new();
        // Other order, other headers.
        for part in parts.iter().rev() {
            assert!(part.len() <= 4096, "{}", part.len());
            let pair = part.split(';').next().expect("a pair");
            headers.append(COOKIE, HeaderValue::from_str(pair).expect("text"));
        }
        assert_eq!(cookies.get(&headers, Kind::RoundTrip), Some(value.clone()));
        let mut first = HeaderMap::new();
        first.append(COOKIE, headers.get_all(COOKIE).iter().nth(1).expect("it").clone());
        assert_eq!(cookies.get(&first, Kind::RoundTrip), None, "half of it is nothing");
        assert_eq!(set(cookies, &format!("{value}x")), [""; 0], "and more would not come back");
        assert_eq!(set(cookies, &value[..3_800]).len(), 1);
    }

    #[test]
    fn a_count_of_parts_that_cannot_be_is_no_cookie() {
        let cookies = Cookies { secure: false };
        for value in ["9999999999.a", "3.a", "1.a", "0.a", "-1.a", ".a", "x.a", "2.a"] {
            let mut headers = HeaderMap::new();
            let cookie = HeaderValue::from_str(&format!("landing={value}")).expect("text");
            headers.append(COOKIE, cookie);
            assert_eq!(cookies.get(&headers, Kind::RoundTrip), None, "{value}");
        }
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("landing=abc; landing-2=old"));
        assert_eq!(cookies.get(&headers, Kind::RoundTrip).as_deref(), Some("abc"));
    }
}
