//! The landing page's look and its form: the publisher's name, logo, colour, addresses and fields.

mod label;
mod offers;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

pub use label::Label;
use label::is_plain;
pub use offers::{OfferBranding, Offers};

use crate::host::environment::{ConfigError, Environment};
use crate::web::Colour;

/// Every part may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branding {
    /// The publisher, or its product, as buyers know it.
    pub name: Option<String>,
    pub logo: Option<Logo>,
    /// The logo on dark pages, where it is another one.
    pub logo_dark: Option<Logo>,
    /// The colour of buttons and links.
    pub accent: Colour,
    pub support: Option<Support>,
    /// The product's own address.
    pub product_url: Option<String>,
    /// The publisher's privacy policy.
    pub privacy_url: Option<String>,
    /// The product's terms of use.
    pub terms_url: Option<String>,
    /// Who the publisher is, as the law of some countries wants it said.
    pub imprint_url: Option<String>,
    /// The questions beside the contact address.
    pub fields: Vec<Field>,
    /// What single offers have of their own.
    pub offers: Offers,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Where buyers find help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// An e-mail address.
    Mail(String),
    /// An https address.
    Page(String),
}

/// A question to the buyer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Field {
    /// The key under which the product finds the answer.
    pub name: String,
    pub label: Label,
    #[serde(default)]
    pub required: bool,
    /// In characters.
    #[serde(default = "usual_length")]
    pub max_length: usize,
}

fn usual_length() -> usize {
    100
}

// Lengths are in characters. A record, its events and the form hold this much with ease.
const MOST_FIELDS: usize = 10;
const LONGEST_FIELD: usize = 500;
const LONGEST_FIELD_NAME: usize = 40;
const LONGEST_PUBLISHER_NAME: usize = 80;

impl Branding {
    /// Reads `LANDING_PUBLISHER_NAME`, `LANDING_LOGO`, `LANDING_LOGO_DARK`, `LANDING_ACCENT`,
    /// `LANDING_SUPPORT`, `LANDING_PRODUCT_URL`, `LANDING_PRIVACY_URL`, `LANDING_TERMS_URL`,
    /// `LANDING_IMPRINT_URL`, `LANDING_FIELDS` and `LANDING_OFFERS`.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        const LOGO_DARK: &str = "LANDING_LOGO_DARK";
        const ON_DARK: &str = "the logo on dark pages, as a data: address in base64";
        let logo_dark = optional(environment, LOGO_DARK, ON_DARK, logo)?;
        if logo_dark.is_some() && environment.get("LANDING_LOGO").is_none() {
            let problem = "needs a LANDING_LOGO, for light pages".to_owned();
            return Err(ConfigError { name: LOGO_DARK, problem, purpose: ON_DARK });
        }
        Ok(Self {
            logo_dark,
            name: optional(
                environment,
                "LANDING_PUBLISHER_NAME",
                "the name buyers know the publisher by",
                |name| {
                    let is_fit = name.chars().count() <= LONGEST_PUBLISHER_NAME && is_plain(name);
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
                Colour::DEFAULT_ACCENT,
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
                page,
            )?,
            privacy_url: optional(
                environment,
                "LANDING_PRIVACY_URL",
                "where the publisher's privacy policy is, an https page",
                page,
            )?,
            terms_url: optional(
                environment,
                "LANDING_TERMS_URL",
                "where the product's terms of use are, an https page",
                page,
            )?,
            imprint_url: optional(
                environment,
                "LANDING_IMPRINT_URL",
                "where the publisher says who it is, an https page",
                page,
            )?,
            fields: optional(
                environment,
                "LANDING_FIELDS",
                "what a buyer is asked for, a JSON list of fields",
                fields,
            )?
            .unwrap_or_default(),
            offers: environment.parse_or(
                "LANDING_OFFERS",
                Offers::default(),
                "the names of offers and plans, JSON by offer id",
            )?,
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

/// The types that a browser shows as an image. The setting holds the image itself: our pages load
/// nothing from another site, and a function has no folder for files.
const IMAGES: [&str; 4] = ["image/svg+xml", "image/png", "image/jpeg", "image/webp"];

fn logo(address: &str) -> Result<Logo, &'static str> {
    const FORM: &str = "is not data:image/svg+xml;base64,… (or png, jpeg, webp)";
    let (kind, data) =
        address.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or(FORM)?;
    let content_type = IMAGES.into_iter().find(|image| *image == kind).ok_or(FORM)?;
    let bytes = STANDARD.decode(data).map_err(|_| "holds text that is not base64")?;
    if bytes.is_empty() { Err(FORM) } else { Ok(Logo { content_type, bytes }) }
}

fn support(text: &str) -> Result<Support, &'static str> {
    if is_email(text) {
        return Ok(Support::Mail(text.to_owned()));
    }
    https(text).map(Support::Page).ok_or("is neither an e-mail address nor an https page")
}

fn page(text: &str) -> Result<String, &'static str> {
    https(text).ok_or("is not an https address")
}

fn https(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let is_fit = url.scheme() == "https"
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none();
    is_fit.then(|| url.into())
}

/// Whether a text looks like an e-mail address, by the rule that browsers use. Only the mail server
/// knows whether the address exists.
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

/// The form's own names.
const RESERVED_NAMES: [&str; 3] = ["contact", "submit", "token"];

fn fields(text: &str) -> Result<Vec<Field>, &'static str> {
    let fields: Vec<Field> = serde_json::from_str(text).map_err(
        |_| r#"is not a list such as [{"name":"company","label":"Company","required":true}]"#,
    )?;
    if fields.len() > MOST_FIELDS {
        return Err("has more than ten fields");
    }
    for (at, field) in fields.iter().enumerate() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !(1..=LONGEST_FIELD_NAME).contains(&field.name.len()) || !field.name.chars().all(is_name)
        {
            return Err("has a name that isn't 1 to 40 letters, digits, `-` or `_`");
        }
        let is_taken = RESERVED_NAMES.contains(&field.name.as_str())
            || fields[..at].iter().any(|other| other.name == field.name);
        if is_taken {
            return Err("has a name that is taken");
        }
        if !(1..=LONGEST_FIELD).contains(&field.max_length) {
            return Err("has a maxLength that isn't 1 to 500");
        }
        if !field.label.is_fit() {
            return Err("has a label that is empty or too long");
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests;
