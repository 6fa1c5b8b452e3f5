//! Texts of the publisher's, in one language or in several.

use std::collections::BTreeMap;

use serde::Deserialize;

/// In characters.
const LONGEST_LABEL: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// The same in every language.
    One(String),
    /// By language, as in `sv`.
    Several(BTreeMap<String, String>),
}

impl Label {
    pub(super) fn is_fit(&self) -> bool {
        let is_fit = |text: &String| text.chars().count() <= LONGEST_LABEL && is_plain(text);
        match self {
            Self::One(text) => is_fit(text),
            Self::Several(texts) => !texts.is_empty() && texts.values().all(is_fit),
        }
    }

    /// The label in a language, or else in English, or else in the first language there is.
    pub fn in_language(&self, language: &str) -> &str {
        match self {
            Self::One(text) => text,
            Self::Several(texts) => {
                let text = texts.get(language).or_else(|| texts.get("en"));
                text.or_else(|| texts.values().next()).map_or("", String::as_str)
            }
        }
    }
}

/// Whether a text is one line of visible characters.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

const LONGEST_PUBLISHER_NAME: usize = 80;

pub(super) fn publisher_name(name: &str) -> Result<String, &'static str> {
    let is_fit = name.chars().count() <= LONGEST_PUBLISHER_NAME && is_plain(name);
    is_fit.then(|| name.to_owned()).ok_or("is too long, or has control characters")
}
