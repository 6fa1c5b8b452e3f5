//! The frame of every page: the publisher, and the person who is signed in.

use shared::domain::{Status, Subscription};

use crate::brand::Brand;
use crate::brands::Brands;
use crate::known_plans::KnownPlans;
use crate::language::{Language, Phrases, fill};
use crate::sign_in::Session;

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
    pub(super) fn offer_name<'b>(&self, subscription: &'b Subscription) -> &'b str
    where
        'a: 'b,
    {
        let name = self.brands.of(subscription).offer_name.as_ref();
        name.map_or(&subscription.offer_id, |name| name.in_language(self.language.code))
    }

    /// The text of the link to the product.
    pub(super) fn open(&self) -> String {
        let phrases = &self.t().active;
        match self.product_name() {
            Some(product) => fill(&phrases.open_named, &[("product", product)]),
            None => phrases.open.clone(),
        }
    }

    /// The offer among a purchase's details.
    pub(super) fn shown_offer(&self, subscription: &Subscription) -> Option<String> {
        let name = self.brands.of(subscription).offer_name.as_ref();
        let name = name.map(|name| name.in_language(self.language.code));
        name_or_id(subscription, name, &subscription.offer_id)
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
        self.known_plan_name(subscription, plans, plan_id).unwrap_or(plan_id)
    }

    fn known_plan_name<'b>(
        &self,
        subscription: &Subscription,
        plans: &'b KnownPlans,
        plan_id: &str,
    ) -> Option<&'b str>
    where
        'a: 'b,
    {
        match self.brands.of(subscription).plans.get(plan_id) {
            Some(name) => Some(name.in_language(self.language.code)),
            None => plans.name(plan_id),
        }
    }

    /// The plan among a purchase's details.
    pub(super) fn shown_plan(
        &self,
        subscription: &Subscription,
        plans: &KnownPlans,
    ) -> Option<String> {
        let id = &subscription.plan_id;
        name_or_id(subscription, self.known_plan_name(subscription, plans, id), id)
    }

    /// A sentence that says who is signed in.
    pub(super) fn signed_in(&self, session: &Session) -> String {
        let person = &session.person;
        let frame = &self.t().frame;
        let known = person.username.as_deref().or(person.name.as_deref());
        fill(&frame.signed_in_as, &[("who", known.unwrap_or(&frame.your_account))])
    }
}

/// The id stands in for a name that neither the settings nor Microsoft give. The page of an ended subscription
/// does without: Microsoft names its plan no more (F-PLN-6), and an id says little.
fn name_or_id(subscription: &Subscription, name: Option<&str>, id: &str) -> Option<String> {
    let shown = match subscription.saas_subscription_status {
        Status::PendingFulfillmentStart
        | Status::Subscribed
        | Status::Suspended
        | Status::Other(_) => Some(name.unwrap_or(id)),
        Status::Unsubscribed => name,
    };
    shown.map(str::to_owned)
}
