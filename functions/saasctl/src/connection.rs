//! Which deployment the commands reach: by their options, by a profile, or by the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use serde::Deserialize;
use thiserror::Error;
use url::Url;

use crate::options::ConnectionOptions;

/// The address of `cargo local`.
const LOCAL: &str = "http://127.0.0.1:8080";

/// Names the file with the profiles, where it is not in its usual place.
const FILE: &str = "SAASCTL_CONFIG";

/// Holds a key of the Azure function app.
const FUNCTION_KEY: &str = "SAASCTL_FUNCTION_KEY";

pub(crate) struct Connection {
    /// The API, with or without `/subscriptions`.
    pub url: Url,
    /// Whether requests to any address are signed.
    pub aws: bool,
    pub region: Option<String>,
    /// The profile of AWS's own tools.
    pub aws_profile: Option<String>,
    /// A key of the Azure function app. It is marked as sensitive.
    pub function_key: Option<HeaderValue>,
    pub answer_within: Duration,
}

/// Why it is not known which deployment is meant.
#[derive(Debug, Error)]
pub(crate) enum ConnectionError {
    #[error("MANAGEMENT_URL is not an http or https address")]
    BadAddress,
    /// The profile is not there, or wrong.
    #[error("{0}")]
    BadProfile(String),
}

/// A deployment that has a name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Profile {
    url: Option<Url>,
    #[serde(default)]
    aws: bool,
    region: Option<String>,
    aws_profile: Option<String>,
    function_key_file: Option<PathBuf>,
}

impl Connection {
    /// An option comes before the profile, and the profile before the environment.
    pub(crate) fn of(options: &ConnectionOptions) -> Result<Self, ConnectionError> {
        let profile = match &options.profile {
            Some(name) => read_profile(name)?,
            None => Profile::default(),
        };
        let given = options.url.clone().or(profile.url).map(Ok);
        let url = given.unwrap_or_else(|| {
            let text = std::env::var("MANAGEMENT_URL").unwrap_or_else(|_| LOCAL.to_owned());
            text.parse().map_err(|_| ConnectionError::BadAddress)
        })?;
        let key = match profile.function_key_file {
            Some(file) => Some(std::fs::read_to_string(&file).map_err(|error| {
                ConnectionError::BadProfile(format!("the function key {}: {error}", file.display()))
            })?),
            None => std::env::var(FUNCTION_KEY).ok(),
        };
        Ok(Self {
            url,
            aws: options.aws || profile.aws,
            region: options.region.clone().or(profile.region),
            aws_profile: profile.aws_profile,
            function_key: key.map(|key| function_key(&key)).transpose()?,
            answer_within: options.answer_within,
        })
    }
}

fn function_key(text: &str) -> Result<HeaderValue, ConnectionError> {
    let value = HeaderValue::from_str(text.trim());
    let mut value = value.map_err(|_| {
        ConnectionError::BadProfile("the function key is not one line of text".into())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn read_profile(name: &str) -> Result<Profile, ConnectionError> {
    let bad = ConnectionError::BadProfile;
    let file = file().ok_or_else(|| bad(format!("no home directory; set {FILE}")))?;
    let shown = file.display();
    let text = std::fs::read_to_string(&file);
    let text = text.map_err(|error| bad(format!("{shown} can't be read: {error}")))?;
    let profiles: Result<BTreeMap<String, Profile>, _> = serde_yaml_ng::from_str(&text);
    let mut profiles = profiles.map_err(|error| bad(format!("{shown}: {error}")))?;
    let names: Vec<_> = profiles.keys().cloned().collect();
    let names = names.join(", ");
    profiles
        .remove(name)
        .ok_or_else(|| bad(format!("{shown} has no profile {name}; it has {names}")))
}

fn file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = || {
        set("XDG_CONFIG_HOME")
            .or_else(|| set("APPDATA"))
            .map(PathBuf::from)
            .or_else(|| Some(std::env::home_dir()?.join(".config")))
    };
    set(FILE).map(PathBuf::from).or_else(|| Some(folder()?.join("saasctl.yaml")))
}
