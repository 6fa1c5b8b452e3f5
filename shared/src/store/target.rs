//! The names of receivers.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The longest name, in characters. It is in each cursor's key.
const LONGEST: usize = 20;

const ENDPOINT: &str = "endpoint";

const EVENT_BUS: &str = "event-bus";

/// A receiver of events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The publisher's HTTPS endpoint that has no name of its own.
    Endpoint,
    /// The publisher's EventBridge bus.
    EventBus,
    /// An HTTPS endpoint with a name.
    Named(EndpointName),
}

/// The name that the publisher gave to an endpoint: 1 to 20 small letters, digits and hyphens, the first one
/// a letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointName {
    /// Filled up with zeros, so that a name is as small as a key and as easily copied.
    text: [u8; LONGEST],
    length: u8,
}

/// A text that can't name a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not 1 to {LONGEST} small letters, digits and hyphens, the first one a letter")]
pub struct NotAName;

impl Target {
    /// The receivers that need no name.
    pub const UNNAMED: [Self; 2] = [Self::Endpoint, Self::EventBus];

    /// As in keys, logs and answers of the API.
    pub fn name(&self) -> &str {
        match self {
            Self::Endpoint => ENDPOINT,
            Self::EventBus => EVENT_BUS,
            Self::Named(name) => name.as_str(),
        }
    }
}

impl EndpointName {
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl FromStr for Target {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            ENDPOINT => return Ok(Self::Endpoint),
            EVENT_BUS => return Ok(Self::EventBus),
            _ => {}
        }
        let is_letter = |c: u8| c.is_ascii_lowercase();
        let is_one_of_them = |c: u8| is_letter(c) || c.is_ascii_digit() || c == b'-';
        if !text.bytes().next().is_some_and(is_letter) || !text.bytes().all(is_one_of_them) {
            return Err(NotAName);
        }
        let mut name = EndpointName { text: [0; LONGEST], length: 0 };
        name.text.get_mut(..text.len()).ok_or(NotAName)?.copy_from_slice(text.as_bytes());
        name.length = u8::try_from(text.len()).map_err(|_| NotAName)?;
        Ok(Self::Named(name))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.name())
    }
}

impl fmt::Debug for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_as_it_is_written() {
        for name in ["endpoint", "event-bus", "crm", "a", "a-1", "abcdefghijklmnopqrst"] {
            let target: Target = name.parse().expect(name);
            assert_eq!((target.name(), target.to_string().as_str()), (name, name));
            assert_eq!(serde_json::to_value(target).expect("a text"), name);
        }
        assert_eq!("endpoint".parse(), Ok(Target::Endpoint));
        assert_eq!("event-bus".parse(), Ok(Target::EventBus));
        assert_ne!("crm".parse::<Target>(), "crn".parse(), "another name is another receiver");
        assert_ne!("crm".parse::<Target>(), "crm-".parse(), "a longer one, too");
    }

    #[test]
    fn a_text_that_could_not_be_part_of_a_key_is_no_name() {
        for text in
            ["", "-a", "1a", "A", "a b", "a#b", "a_b", "é", "aé", "crm\n", "abcdefghijklmnopqrstu"]
        {
            assert_eq!(text.parse::<Target>(), Err(NotAName), "{text:?}");
        }
    }
}
