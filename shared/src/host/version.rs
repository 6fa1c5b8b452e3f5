//! The version of these functions, in every log line and in every answer's headers: both show
//! which version serves.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header of an answer. OpenTelemetry calls the same thing `service.version`, and so do the log
/// lines.
pub const HEADER: HeaderName = HeaderName::from_static("service-version");

static VERSION: LazyLock<String> =
    LazyLock::new(|| of(env!("CARGO_PKG_VERSION"), option_env!("SOURCE_REVISION")));

/// The workspace's version, such as `0.1.0`. If `SOURCE_REVISION` was set when this was built, it
/// follows as the build metadata of Semantic Versioning: `0.1.0+4f2a91c07b3d`.
pub fn version() -> &'static str {
    &VERSION
}

fn of(package: &str, revision: Option<&str>) -> String {
    match revision {
        None | Some("") => package.to_owned(),
        Some(revision) => format!("{package}+{revision}"),
    }
}

/// Names the version in an answer.
pub fn name_in(headers: &mut HeaderMap) {
    // A revision that no header can hold is left out.
    if let Ok(value) = HeaderValue::from_str(version()) {
        headers.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADER, name_in, of, version};

    #[test]
    fn the_version_names_the_revision_if_the_build_knows_it() {
        assert_eq!(of("0.1.0", None), "0.1.0");
        assert_eq!(of("0.1.0", Some("")), "0.1.0");
        assert_eq!(of("0.1.0", Some("4f2a91c07b3d")), "0.1.0+4f2a91c07b3d");
    }

    #[test]
    fn an_answer_names_the_version_of_the_package() {
        let mut headers = http::HeaderMap::new();
        name_in(&mut headers);
        assert_eq!(headers[HEADER], version());
        assert!(version().starts_with(env!("CARGO_PKG_VERSION")), "{}", version());
    }
}
