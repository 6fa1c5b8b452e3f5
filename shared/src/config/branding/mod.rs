//! The landing page's look, its form, and what follows it: the publisher's name, logo, colour, addresses
//! and fields, who activates, and where the publisher's own sign-up page is.

mod activation_mode;
mod addresses;
mod fields;
mod label;
mod logo;
mod members;
mod of_offer;
mod offers;

pub use activation_mode::ActivationMode;
pub use addresses::{SignUpPage, Support, is_email};
use addresses::{page, support};
pub use fields::Field;
use fields::fields;
pub use label::Label;
pub use logo::Logo;
use logo::logo;
pub use offers::{LANGUAGES, OfferBranding, Offers, OffersError};

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
    /// Who activates a purchase that the buyer has confirmed.
    pub activation: ActivationMode,
    /// Where the buyer goes on after the confirmation. Then the product activates, whatever `activation` says.
    pub sign_up: Option<SignUpPage>,
    /// What single offers have of their own.
    pub offers: Offers,
}

impl Branding {
    /// Reads `LANDING_PUBLISHER_NAME`, `LANDING_LOGO`, `LANDING_LOGO_DARK`, `LANDING_ACCENT`,
    /// `LANDING_SUPPORT`, `LANDING_PRODUCT_URL`, `LANDING_PRIVACY_URL`, `LANDING_TERMS_URL`,
    /// `LANDING_IMPRINT_URL`, `LANDING_FIELDS`, `ACTIVATION`, `LANDING_SIGN_UP_URL` and
    /// `LANDING_OFFERS`.
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
            name: publisher_name(environment)?,
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
            activation: environment.parse_or(
                "ACTIVATION",
                ActivationMode::OnConfirm,
                "who activates a confirmed purchase, `on-confirm` or `by-publisher`",
            )?,
            sign_up: optional(
                environment,
                "LANDING_SIGN_UP_URL",
                "the publisher's own sign-up page, as in https://app.example.com/sign-up",
                SignUpPage::parse,
            )?,
            offers: environment.parse_or(
                "LANDING_OFFERS",
                Offers::default(),
                "what single offers have of their own, JSON by offer id",
            )?,
        })
    }
}

/// Reads `LANDING_PUBLISHER_NAME`.
pub fn publisher_name(environment: &Environment) -> Result<Option<String>, ConfigError> {
    const PURPOSE: &str = "the name buyers know the publisher by";
    optional(environment, "LANDING_PUBLISHER_NAME", PURPOSE, label::publisher_name)
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

#[cfg(test)]
mod tests;
