//! The frame of every page: the publisher, and the person who is signed in.

use shared::config::{Branding, Field, Offers, Retention, Support};
use shared::domain::Subscription;
use shared::web;

use crate::activation_mode::ActivationMode;
use crate::assets::Assets;
use crate::known_plans::KnownPlans;
use crate::language::{Language, Phrases, fill};
use crate::sign_in::Session;

/// The publisher, as pages show it.
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
    pub(super) style: String,
    /// The address of a page or a mailbox.
    pub(super) support: Option<String>,
    pub(super) product_url: Option<String>,
    pub(super) privacy: Option<String>,
    pub(super) terms: Option<String>,
    pub(super) imprint: Option<String>,
    /// After so many days from a subscription's end, its personal data is erased.
    pub(super) retention_days: Option<u64>,
    /// The publisher's fields in the form of a new purchase.
    pub(super) fields: Vec<Field>,
    /// What single offers have of their own.
    pub(super) offers: Offers,
}

impl Brand {
    pub(crate) fn new(branding: Branding, retention: Option<Retention>, assets: &Assets) -> Self {
        Self {
            name: branding.name,
            logo: assets.logo_address(),
            logo_dark: assets.logo_dark_address(),
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
            offers: branding.offers,
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) language: &'a Language,
    pub(super) brand: &'a Brand,
    pub(super) activation: ActivationMode,
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
        !self.sign_in_is_off && self.languages.len() > 1
    }

    /// A sentence about how long personal data is kept; `None` if nothing erases it by itself.
    pub(super) fn kept(&self, phrase: &str) -> Option<String> {
        let days = self.brand.retention_days?;
        Some(fill(phrase, &[("count", &self.language.number(days))]))
    }

    /// The offer's name, or its id.
    pub(super) fn offer_name(&self, subscription: &'a Subscription) -> &'a str {
        let name = self.brand.offers.of(subscription).and_then(|offer| offer.name.as_ref());
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
        let offer = self.brand.offers.of(subscription);
        match offer.and_then(|offer| offer.plans.get(plan_id)) {
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
