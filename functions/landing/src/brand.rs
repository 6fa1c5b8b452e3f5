//! The publisher, as the pages of one offer show it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use ring::digest::{SHA256, digest};
use shared::config::{
    ActivationMode, Branding, Field, Label, OfferBranding, Retention, SignUpPage, Support,
};
use shared::web;

use crate::assets::Assets;

/// The publisher, as the pages of an offer show it.
pub(crate) struct Brand {
    pub(crate) name: Option<String>,
    /// The logo's address.
    pub(crate) logo: Option<String>,
    /// Its address for dark pages, if there is another one.
    pub(crate) logo_dark: Option<String>,
    /// The script's address.
    pub(crate) script: String,
    /// The style sheet, in the publisher's colour. It is part of every page, so that a page needs no second
    /// request to look right.
    pub(crate) style: String,
    /// The address of a page or a mailbox.
    pub(crate) support: Option<String>,
    pub(crate) product_url: Option<String>,
    pub(crate) privacy: Option<String>,
    pub(crate) terms: Option<String>,
    pub(crate) imprint: Option<String>,
    /// After so many days from a subscription's end, its personal data is erased.
    pub(crate) retention_days: Option<u64>,
    /// The publisher's fields in the form of a new purchase.
    pub(crate) fields: Vec<Field>,
    /// The languages of its pages; empty for all.
    pub(crate) languages: Vec<String>,
    pub(crate) activation: ActivationMode,
    /// Where the buyer goes on after the confirmation.
    pub(crate) sign_up: Option<SignUpPage>,
    /// The offer's name, and those of plans, where they shall not be Microsoft's.
    pub(crate) offer_name: Option<Label>,
    pub(crate) plans: BTreeMap<String, Label>,
}

impl Brand {
    pub(crate) fn new(
        deployment: &Branding,
        offer: &OfferBranding,
        retention: Option<Retention>,
        assets: &mut Assets,
    ) -> Self {
        let branding = deployment.of_offer(offer);
        Self {
            name: branding.name,
            logo: branding.logo.map(|logo| assets.add_logo(logo)),
            logo_dark: branding.logo_dark.map(|logo| assets.add_logo(logo)),
            script: assets.script_address(),
            style: web::style(branding.accent),
            support: branding.support.map(|support| match support {
                Support::Mail(address) => format!("mailto:{address}"),
                Support::Page(address) => address,
            }),
            product_url: branding.product_url,
            privacy: branding.privacy_url,
            terms: branding.terms_url,
            imprint: branding.imprint_url,
            retention_days: retention.and_then(|kept| u64::try_from(kept.0.as_hours() / 24).ok()),
            fields: branding.fields,
            languages: offer.languages.clone().unwrap_or_default(),
            activation: branding.activation,
            sign_up: branding.sign_up,
            offer_name: offer.name.clone(),
            plans: offer.plans.clone(),
        }
    }

    /// The content security policy of its pages. `to` is another origin that a form is sent to.
    pub(crate) fn policy(&self, to: Option<&SignUpPage>) -> HeaderValue {
        let to = to.map(|page| format!(" {}", page.origin())).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'sha256-{}'; img-src 'self'; \
             connect-src 'self'; form-action 'self'{to}; base-uri 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'",
            STANDARD.encode(digest(&SHA256, self.style.as_bytes()))
        );
        HeaderValue::try_from(policy).expect("base64 and origins are header text")
    }

    /// Whether the buyer is asked for something. A sign-up page of the publisher's own asks for itself.
    pub(crate) fn asks(&self) -> bool {
        self.sign_up.is_none() || !self.fields.is_empty()
    }
}
