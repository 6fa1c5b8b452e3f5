//! Where a person goes on to after the sign-in: a path of the page's own host.

use serde::{Deserialize, Serialize};

/// Longer paths are not kept: they would not fit into a cookie beside the rest.
const LONGEST: usize = 2_000;

/// A path with its query, which no browser takes for another host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnPath(String);

impl ReturnPath {
    /// `None` unless the text is a path of the same host, as browsers read it: they take two slashes for the
    /// beginning of a host, a backslash for a slash, and leave out tabs and line breaks.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let is_local = text.starts_with('/') && !text.starts_with("//");
        (is_local && is_plain && text.len() <= LONGEST).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReturnPath {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("is no local path")
    }
}

impl From<ReturnPath> for String {
    fn from(path: ReturnPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn a_path_with_a_query_is_local() {
        let base = Url::parse("https://staff.example.com/console/signed-in?code=x").expect("it");
        for path in [
            "/",
            "/console",
            "/console/subscriptions?status=Subscribed&q=a%20b",
            "/console#top",
            "/console?to=https://evil.example/",
            "/./console",
            "/.//evil.example",
            "/console//evil.example",
            "/@evil.example",
            "/%5Cevil.example",
        ] {
            let read = ReturnPath::parse(path).expect(path);
            assert_eq!(read.as_str(), path);
            let to = base.join(read.as_str()).expect("an address");
            assert_eq!(to.origin(), base.origin(), "{path}: {to}");
        }
    }

    #[test]
    fn what_a_browser_may_take_for_another_host_is_no_local_path() {
        for text in [
            "",
            "console",
            "?x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " /console",
            "/console /",
            "/console\\..\\..",
            "/conso\u{fc}le",
            "/\u{0}",
            "https://evil.example/",
            "https:/evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert_eq!(ReturnPath::parse(text), None, "{text:?}");
        }
        assert!(ReturnPath::parse(&format!("/{}", "a".repeat(1_999))).is_some());
        assert_eq!(ReturnPath::parse(&format!("/{}", "a".repeat(2_000))), None);
    }
}
