//! The frame of every page: the publisher, and the person who is signed in.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use ring::digest::{SHA256, digest};
use shared::config::{
    ActivationMode, Branding, Field, Label, OfferBranding, Retention, SignUpPage, Support,
};
use shared::domain::Subscription;
use shared::web;

use crate::assets::Assets;
use crate::brands::Brands;
use crate::known_plans::KnownPlans;
use crate::language::{Language, Phrases, fill};
use crate::sign_in::Session;

/// The publisher, as the pages of an offer show it.
pub(crate) struct Brand {
    pub(super) name: Option<String>,
    /// The logo's address.
    pub(super) logo: Option<String>,
    /// Its address for dark pages, if there is another one.
    pub(super) logo_dark: Option<String>,
    /// The script's address.
    pub(super) script: String,
    /// The style sheet, in the publisher's colour. It is part of every page, so that a page needs no second
    /// request to look right.
    pub(crate) style: String,
    /// The address of a page or a mailbox.
    pub(super) support: Option<String>,
    pub(super) product_url: Option<String>,
    pub(super) privacy: Option<String>,
    pub(super) terms: Option<String>,
    pub(super) imprint: Option<String>,
    /// After so many days from a subscription's end, its personal data is erased.
    pub(super) retention_days: Option<u64>,
    /// The publisher's fields in the form of a new purchase.
    pub(crate) fields: Vec<Field>,
    /// The languages of its pages; empty for all.
    pub(crate) languages: Vec<String>,
    pub(crate) activation: ActivationMode,
    /// Where the buyer goes on after the confirmation.
    pub(crate) sign_up: Option<SignUpPage>,
    /// The offer's name, and those of plans, where they shall not be Microsoft's.
    offer_name: Option<Label>,
    plans: BTreeMap<String, Label>,
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

#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) language: &'a Language,
    pub(super) brand: &'a Brand,
    /// The other offers, which may be named on this one's pages.
    pub(super) brands: &'a Brands,
    /// Each language's code and own name.
    pub(super) languages: &'a [(&'static str, String)],
    /// The page's path, or that of the page after it.
    pub(super) here: &'static str,
    pub(super) sign_in_is_off: bool,
    pub(super) session: Option<&'a Session>,
}

impl<'a> Frame<'a> {
    /// The texts of the page's language. Templates use this often, so the name is short.
    pub(super) fn t(&self) -> &'a Phrases {
        &self.language.phrases
    }

    /// The publisher's name, or a neutral title.
    pub(super) fn name(&self) -> &str {
        self.brand.name.as_deref().unwrap_or(&self.t().frame.setup)
    }

    pub(super) fn has_footer(&self) -> bool {
        self.brand.support.is_some() || self.has_legal() || self.offers_languages()
    }

    pub(super) fn has_legal(&self) -> bool {
        let Brand { privacy, terms, imprint, .. } = self.brand;
        [privacy, terms, imprint].into_iter().any(Option::is_some)
    }

    /// Without sign-in, the purchase token in the address would be lost on the way.
    pub(super) fn offers_languages(&self) -> bool {
        !self.sign_in_is_off && self.used_languages().count() > 1
    }

    /// The code and the own name of each language that the page is written in.
    pub(super) fn used_languages(&self) -> impl Iterator<Item = &'a (&'static str, String)> {
        let codes = &self.brand.languages;
        let is_used = move |code: &str| codes.is_empty() || codes.iter().any(|used| used == code);
        self.languages.iter().filter(move |(code, _)| is_used(code))
    }

    /// The product as the buyer knows it; `None` if the settings name neither the offer nor the publisher.
    pub(super) fn product_name(&self) -> Option<&'a str> {
        let offer = self.brand.offer_name.as_ref();
        let offer = offer.map(|name| name.in_language(self.language.code));
        offer.or(self.brand.name.as_deref())
    }

    /// A sentence about how long personal data is kept; `None` if nothing erases it by itself.
    pub(super) fn kept(&self, phrase: &str) -> Option<String> {
        let days = self.brand.retention_days?;
        Some(fill(phrase, &[("count", &self.language.number(days))]))
    }

    /// The offer's name, or its id.
    pub(super) fn offer_name(&self, subscription: &'a Subscription) -> &'a str {
        let name = self.brands.of(subscription).offer_name.as_ref();
        name.map_or(&subscription.offer_id, |name| name.in_language(self.language.code))
    }

    /// A plan's name as the publisher has it, or as Microsoft has it, or its id.
    pub(super) fn plan_name<'b>(
        &self,
        subscription: &Subscription,
        plans: &'b KnownPlans,
        plan_id: &'b str,
    ) -> &'b str
    where
        'a: 'b,
    {
        match self.brands.of(subscription).plans.get(plan_id) {
            Some(name) => name.in_language(self.language.code),
            None => plans.name(plan_id).unwrap_or(plan_id),
        }
    }

    /// A sentence that says who is signed in.
    pub(super) fn signed_in(&self, session: &Session) -> String {
        let person = &session.person;
        let frame = &self.t().frame;
        let known = person.username.as_deref().or(person.name.as_deref());
        fill(&frame.signed_in_as, &[("who", known.unwrap_or(&frame.your_account))])
    }
}
