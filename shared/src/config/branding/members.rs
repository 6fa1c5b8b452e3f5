//! Reads the members of a JSON object one by one, so that a wrong one need not spoil the others.

use serde_json::{Map, Value};

/// How the reader treats what it doesn't know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A person wrote it now, and is told about each mistake.
    Strict,
    /// Another version of this program may have stored it: what is unknown is skipped.
    Stored,
}

pub(super) struct Members<'a> {
    object: &'a Map<String, Value>,
    mode: Mode,
    known: Vec<&'static str>,
    /// The members that make no sense, with the reason.
    pub(super) wrong: Vec<(&'static str, &'static str)>,
}

impl<'a> Members<'a> {
    /// `None` if the value is no object.
    pub(super) fn of(value: &'a Value, mode: Mode) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self { object, mode, known: Vec::new(), wrong: Vec::new() })
    }

    /// `None` if the member is absent or makes no sense.
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&Value, Mode) -> Result<T, &'static str>,
    ) -> Option<T> {
        self.known.push(name);
        match read(self.object.get(name)?, self.mode) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.wrong.push((name, problem));
                None
            }
        }
    }

    /// The same for a text.
    pub(super) fn text<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        self.take(name, |value, _| read(value.as_str().ok_or("is not a text")?))
    }

    /// Whether there is a member that nothing has asked for.
    pub(super) fn has_unknown(&self) -> bool {
        self.object.keys().any(|name| !self.known.contains(&name.as_str()))
    }
}
