//! How the landing page looks and what it asks for: the publisher's name, logo, colour, addresses
//! and form fields.

use std::collections::BTreeMap;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{ConfigError, Environment};

/// What the landing page is told about its publisher. Everything may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branding {
    /// The publisher, or its product, as buyers know it.
    pub name: Option<String>,
    /// The picture at the top.
    pub logo: Option<Logo>,
    /// The colour of buttons and links.
    pub accent: Colour,
    /// Where buyers find help.
    pub support: Option<Support>,
    /// Where the product itself is.
    pub product_url: Option<String>,
    /// What is asked for beside a contact address.
    pub fields: Vec<Field>,
}

/// A picture, as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Its type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A colour, red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// Where buyers find help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// By mail.
    Mail(String),
    /// On a page.
    Page(String),
}

/// Something the publisher wants to know of a buyer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Field {
    /// What the product finds it under.
    pub name: String,
    /// What the page calls it.
    pub label: Label,
    /// Whether it must be filled in.
    #[serde(default)]
    pub required: bool,
    /// The most characters it takes.
    #[serde(default = "usual_length")]
    pub max_length: usize,
}

/// A label in one language for all, or in several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// The same for everybody.
    One(String),
    /// By language, as in `sv`.
    Several(BTreeMap<String, String>),
}

fn usual_length() -> usize {
    100
}

/// What a record, its events and a form can hold with ease.
const MOST_FIELDS: usize = 10;
const LONGEST_FIELD: usize = 500;
const LONGEST_LABEL: usize = 100;
const LONGEST_NAME: usize = 80;

/// The colour where none is chosen: a blue that white text stands on, and that offends nobody.
const ACCENT: Colour = Colour([0x0b, 0x5c, 0xad]);

impl Branding {
    /// Reads `LANDING_PUBLISHER_NAME`, `LANDING_LOGO`, `LANDING_ACCENT`, `LANDING_SUPPORT`,
    /// `LANDING_PRODUCT_URL` and `LANDING_FIELDS`.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            name: optional(
                environment,
                "LANDING_PUBLISHER_NAME",
                "the name buyers know the publisher by",
                |name| {
                    let is_fit = name.chars().count() <= LONGEST_NAME && is_plain(name);
                    is_fit.then(|| name.to_owned()).ok_or("is too long, or has control characters")
                },
            )?,
            logo: optional(
                environment,
                "LANDING_LOGO",
                "the landing page's logo, as a data: address in base64",
                logo,
            )?,
            accent: environment.parse_or(
                "LANDING_ACCENT",
                ACCENT,
                "the colour of the landing page's buttons and links, such as #0b5cad",
            )?,
            support: optional(
                environment,
                "LANDING_SUPPORT",
                "where buyers find help, an e-mail address or an https page",
                support,
            )?,
            product_url: optional(
                environment,
                "LANDING_PRODUCT_URL",
                "where the product is, linked to once a subscription is active",
                |url| https(url).ok_or("is not an https address"),
            )?,
            fields: optional(
                environment,
                "LANDING_FIELDS",
                "what a buyer is asked for, a JSON list of fields",
                fields,
            )?
            .unwrap_or_default(),
        })
    }
}

fn optional<T>(
    environment: &Environment,
    name: &'static str,
    purpose: &'static str,
    read: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, ConfigError> {
    let read = |value: String| {
        read(&value).map_err(|problem| ConfigError { name, problem: problem.to_owned(), purpose })
    };
    environment.get(name).map(read).transpose()
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// The types a browser shows as an image. A data address, since a page of ours loads nothing from
/// anybody else, and a function has no folder to put a file into.
const IMAGES: [&str; 4] = ["image/svg+xml", "image/png", "image/jpeg", "image/webp"];

fn logo(address: &str) -> Result<Logo, &'static str> {
    const FORM: &str = "is not data:image/svg+xml;base64,… (or png, jpeg, webp)";
    let (kind, data) =
        address.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or(FORM)?;
    let content_type = IMAGES.into_iter().find(|image| *image == kind).ok_or(FORM)?;
    let bytes = STANDARD.decode(data).map_err(|_| "holds text that is not base64")?;
    if bytes.is_empty() { Err(FORM) } else { Ok(Logo { content_type, bytes }) }
}

impl FromStr for Colour {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "is not a colour such as #0b5cad";
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(FORM)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| FORM)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

fn support(text: &str) -> Result<Support, &'static str> {
    if is_email(text) {
        return Ok(Support::Mail(text.to_owned()));
    }
    https(text).map(Support::Page).ok_or("is neither an e-mail address nor an https page")
}

fn https(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let is_fit = url.scheme() == "https"
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none();
    is_fit.then(|| url.into())
}

/// Whether something could be an e-mail address, as browsers check it: what mail servers really
/// take, only they know.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_local = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254
        && !local.is_empty()
        && local.chars().all(is_local)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

/// What the form itself calls its parts.
const OUR_OWN: [&str; 3] = ["contact", "submit", "token"];

fn fields(text: &str) -> Result<Vec<Field>, &'static str> {
    let fields: Vec<Field> = serde_json::from_str(text).map_err(
        |_| r#"is not a list such as [{"name":"company","label":"Company","required":true}]"#,
    )?;
    if fields.len() > MOST_FIELDS {
        return Err("asks for more than ten fields");
    }
    for (at, field) in fields.iter().enumerate() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !(1..=40).contains(&field.name.len()) || !field.name.chars().all(is_name) {
            return Err("has a name that isn't 1 to 40 letters, digits, `-` or `_`");
        }
        let is_taken = OUR_OWN.contains(&field.name.as_str())
            || fields[..at].iter().any(|other| other.name == field.name);
        if is_taken {
            return Err("has a name that is taken");
        }
        if !(1..=LONGEST_FIELD).contains(&field.max_length) {
            return Err("has a maxLength that isn't 1 to 500");
        }
        let is_label = |text: &str| text.chars().count() <= LONGEST_LABEL && is_plain(text);
        let is_labelled = match &field.label {
            Label::One(text) => is_label(text),
            Label::Several(texts) => !texts.is_empty() && texts.values().all(|text| is_label(text)),
        };
        if !is_labelled {
            return Err("has a label that is empty or too long");
        }
    }
    Ok(fields)
}

impl Label {
    /// The label in a language; where that is missing, in English, or else in the first there is.
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

#[cfg(test)]
#[path = "branding/tests.rs"]
mod tests;
