//! Settings: read once at the start, with one clear line where a setting is absent or malformed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use thiserror::Error;

use super::address::is_private;

/// A setting that is absent or wrong. One line that names it and says what it is for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{name} {problem} ({purpose})")]
pub struct ConfigError {
    pub name: &'static str,
    /// What is wrong with it. Never its value: it may be a secret in the wrong place.
    pub problem: String,
    pub purpose: &'static str,
}

type Lookup = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Where settings come from. It remembers the names it was asked for, so that tests can compare
/// the deployment template with what a function reads.
pub struct Environment {
    lookup: Lookup,
    asked: RefCell<Vec<&'static str>>,
}

impl Environment {
    pub fn of_process() -> Self {
        Self::from_fn(|name| std::env::var(name).ok())
    }

    pub fn from_fn(lookup: impl Fn(&str) -> Option<String> + Send + 'static) -> Self {
        Self { lookup: Box::new(lookup), asked: RefCell::default() }
    }

    /// The names it was asked for so far, sorted, each once.
    pub fn asked(&self) -> Vec<&'static str> {
        let mut asked = self.asked.borrow().clone();
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// The bytes of the settings it was asked for so far, as Lambda counts them: as one JSON object,
    /// without those that Lambda adds itself.
    pub fn bytes(&self) -> usize {
        let own = self.asked().into_iter().filter(|name| !name.starts_with("AWS_"));
        let set = own.filter_map(|name| Some((name, (self.lookup)(name)?)));
        serde_json::json!(set.collect::<BTreeMap<_, _>>()).to_string().len()
    }

    /// A setting, trimmed; `None` where it is absent or empty.
    pub fn get(&self, name: &'static str) -> Option<String> {
        self.asked.borrow_mut().push(name);
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A setting without which the function can't start.
    pub fn require(
        &self,
        name: &'static str,
        purpose: &'static str,
    ) -> Result<String, ConfigError> {
        self.get(name).ok_or_else(|| ConfigError {
            name,
            problem: "is not set".to_owned(),
            purpose,
        })
    }

    /// A setting that must parse, or its default.
    pub fn parse_or<T>(
        &self,
        name: &'static str,
        default: T,
        purpose: &'static str,
    ) -> Result<T, ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        match self.get(name) {
            Some(value) => parse(name, &value, purpose),
            None => Ok(default),
        }
    }

    /// The address of a service, without a trailing slash, or its default. It is https, or http on
    /// this machine: what is sent there holds secrets.
    pub fn url_or(
        &self,
        name: &'static str,
        default: &str,
        purpose: &'static str,
    ) -> Result<String, ConfigError> {
        let url = self.get(name).unwrap_or_else(|| default.to_owned());
        let problem = match url::Url::parse(&url) {
            Ok(parsed)
                if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() =>
            {
                "is not an http(s) address"
            }
            Ok(parsed) if parsed.query().is_some() || parsed.fragment().is_some() => {
                "must not have a query or a fragment"
            }
            Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
                "must not hold credentials"
            }
            Ok(parsed) if !is_private(&parsed) => "must be https, except on this machine",
            Ok(_) => return Ok(url.trim_end_matches('/').to_owned()),
            Err(_) => "is not an address",
        };
        Err(ConfigError { name, problem: problem.to_owned(), purpose })
    }
}

/// Parses a setting that was read already.
pub fn parse<T>(name: &'static str, value: &str, purpose: &'static str) -> Result<T, ConfigError>
where
    T: FromStr,
    T::Err: Display,
{
    value.parse().map_err(|error: T::Err| ConfigError { name, problem: error.to_string(), purpose })
}
