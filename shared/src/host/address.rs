//! Which addresses may be called or opened without encryption.

use url::{Host, Url};

/// Whether an address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether no one on the way can read what is sent to an address: https, or http on this machine.
pub fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_private_on_this_machine_alone() {
        for (address, loopback, private) in [
            ("https://signup.example.com", false, true),
            ("http://signup.example.com", false, false),
            ("http://127.0.0.1:8080", true, true),
            ("http://127.8.9.10", true, true),
            ("http://2130706433/", true, true),
            ("http://[::1]:8080", true, true),
            ("http://LOCALHOST:8080/api", true, true),
            ("https://localhost", true, true),
            ("http://localhost.example.com", false, false),
            ("http://127.0.0.1.example.com", false, false),
            ("http://10.0.0.1", false, false),
            ("http://[::ffff:10.0.0.1]", false, false),
            ("http://0.0.0.0:8080", false, false),
            ("http://localhost@signup.example.com", false, false),
            ("ftp://localhost", true, false),
        ] {
            let url = Url::parse(address).expect(address);
            assert_eq!((is_loopback(&url), is_private(&url)), (loopback, private), "{address}");
        }
    }
}
