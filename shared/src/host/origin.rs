//! Where browsers see a page: its origin, and the setting that names it.

use url::Url;

use super::address::is_loopback;
use super::environment::{ConfigError, Environment};

/// The setting that names a page's origin.
pub struct OriginSetting {
    pub name: &'static str,
    pub purpose: &'static str,
}

impl OriginSetting {
    /// Reads the origin. It is https, or http on this machine: a cookie never travels unencrypted.
    pub fn read(&self, environment: &Environment) -> Result<Origin, ConfigError> {
        let given = environment.require(self.name, self.purpose)?;
        self.parse(environment, &given)
    }

    /// The same where the setting may be absent, because a gateway names its host
    /// ([`Origin::of_host`]).
    pub fn read_if_set(&self, environment: &Environment) -> Result<Option<Origin>, ConfigError> {
        environment.get(self.name).map(|given| self.parse(environment, &given)).transpose()
    }

    fn parse(&self, environment: &Environment, given: &str) -> Result<Origin, ConfigError> {
        let Self { name, purpose } = *self;
        let url = environment.url_or(name, given, purpose)?;
        let wrong = |problem: &str| ConfigError { name, problem: problem.to_owned(), purpose };
        let url = Url::parse(&url).map_err(|_| wrong("is not an address"))?;
        if url.path() != "/" {
            return Err(wrong("must not have a path"));
        }
        Ok(Origin { text: url.origin().ascii_serialization(), url })
    }
}

/// Where visitors see a page: scheme, host and port, without a path. The page's cookies start at
/// its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    url: Url,
    /// As browsers write it.
    text: String,
}

impl Origin {
    /// The origin of a gateway's host, which is served over HTTPS. `None` if the text is no host.
    pub fn of_host(host: &str) -> Option<Self> {
        let url = Url::parse(&format!("https://{host}")).ok()?;
        // Nothing but the host: no port, path, credentials or query.
        let is_host = url.host_str().is_some_and(|parsed| parsed.eq_ignore_ascii_case(host));
        is_host.then(|| Self { text: url.origin().ascii_serialization(), url })
    }

    /// The origin as browsers write it, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether only a browser on this machine can open it.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether a request with this `Host` header was sent to this origin's host and port.
    pub fn is_host(&self, host: &str) -> bool {
        self.at(host).is_some_and(|sent| sent.origin() == self.url.origin())
    }

    /// Whether this `Host` header can't be the browser's, because it names this machine and the
    /// origin is public. Such a request came by a host process, as on Azure.
    pub fn is_hop(&self, host: &str) -> bool {
        !self.is_loopback() && self.at(host).is_some_and(|sent| is_loopback(&sent))
    }

    fn at(&self, host: &str) -> Option<Url> {
        Url::parse(&format!("{}://{host}", self.url.scheme())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(base_url: &'static str) -> Origin {
        const SETTING: OriginSetting =
            OriginSetting { name: "BASE_URL", purpose: "the origin of a page" };
        SETTING.read(&Environment::from_fn(move |_| Some(base_url.to_owned()))).expect(base_url)
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (base_url, written) in [
            ("https://Signup.Example.com/", "https://signup.example.com"),
            ("https://signup.example.com:443", "https://signup.example.com"),
            ("https://signup.example.com:8443/", "https://signup.example.com:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(origin(base_url).as_str(), written);
        }
    }

    #[test]
    fn a_gateways_host_is_an_origin_and_nothing_else_is() {
        let host = "k7wq2m9xva.execute-api.eu-north-1.amazonaws.com";
        let origin = Origin::of_host(host).expect("a host");
        assert_eq!(origin.as_str(), format!("https://{host}"));
        assert!(origin.is_https() && !origin.is_loopback());
        assert_eq!(
            Origin::of_host("Signup.Example.com").expect("it").as_str(),
            "https://signup.example.com"
        );
        for other in [
            "",
            "a@evil.example",
            "evil.example/x",
            "evil.example?x",
            "evil.example#x",
            "a b",
            "a:1",
            "a:443",
        ] {
            assert_eq!(Origin::of_host(other), None, "{other}");
        }
    }

    #[test]
    fn a_host_is_compared_in_any_case_and_with_the_default_port() {
        let origin = origin("https://signup.example.com");
        for host in ["signup.example.com", "SIGNUP.Example.COM", "signup.example.com:443"] {
            assert!(origin.is_host(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "signup.example.com:80",
            "signup.example.com.",
            "signup.example.com.evil.example",
            "abc123.execute-api.eu-north-1.amazonaws.com",
            "signup.example.com:99999",
            "127.0.0.1:8080",
        ] {
            assert!(!origin.is_host(host), "{host}");
        }
    }

    #[test]
    fn a_host_on_this_machine_is_not_the_browsers_where_the_origin_is_public() {
        let (public, local) = (origin("https://signup.example.com"), origin("http://localhost:80"));
        for (host, expected) in [
            ("127.0.0.1:7071", true),
            ("localhost:7071", true),
            ("[::1]:7071", true),
            ("signup.example.com", false),
            ("localhost.example.com", false),
            ("", false),
        ] {
            assert_eq!(public.is_hop(host), expected, "{host}");
            assert!(!local.is_hop(host), "{host}");
        }
    }
}
