//! What stands around every page: the publisher, and who is signed in.

use shared::config::{Branding, Field, Support};
use shared::microsoft::entra::Person;

use crate::assets::Assets;
use crate::language::{Language, Phrases, filled};
use crate::theme;

/// The one style sheet, part of every page: a page needs no second request to be looked at.
const STYLE: &str = include_str!("../../templates/style.css");

/// The publisher, as pages show it.
pub(super) struct Brand {
    /// The publisher, or its product.
    pub name: Option<String>,
    /// Where the logo is.
    pub logo: Option<String>,
    /// Where the script is.
    pub script: String,
    /// The style sheet, in the publisher's colour.
    pub style: String,
    /// Where help is.
    pub support: Option<String>,
    /// Where the product is.
    pub product_url: Option<String>,
    /// What buyers are asked for.
    pub fields: Vec<Field>,
}

impl Brand {
    /// As it was configured.
    pub(super) fn new(branding: Branding, assets: &Assets) -> Self {
        Self {
            name: branding.name,
            logo: assets.logo_address(),
            script: assets.script_address(),
            style: format!("{}{STYLE}", theme::variables(branding.accent)),
            support: branding.support.map(|support| match support {
                Support::Mail(address) => format!("mailto:{address}"),
                Support::Page(address) => address,
            }),
            product_url: branding.product_url,
            fields: branding.fields,
        }
    }
}

/// What every page has around it.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    /// What it speaks.
    pub language: &'a Language,
    /// Whose it is.
    pub brand: &'a Brand,
    /// Nobody has to sign in.
    pub unsafe_sign_in: bool,
    /// Who is signed in.
    pub person: Option<&'a Person>,
}

impl<'a> Frame<'a> {
    /// What the language says.
    pub(super) fn t(&self) -> &'a Phrases {
        &self.language.says
    }

    /// What stands at the top where there is no logo.
    pub(super) fn name(&self) -> &str {
        self.brand.name.as_deref().unwrap_or(&self.t().frame.setup)
    }

    /// Who is signed in, in a sentence.
    pub(super) fn signed_in(&self) -> Option<String> {
        let person = self.person?;
        let known = person.username.as_deref().or(person.name.as_deref());
        let frame = &self.t().frame;
        Some(filled(&frame.signed_in_as, &[("who", known.unwrap_or(&frame.your_account))]))
    }
}
