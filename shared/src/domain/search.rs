//! What a subscription is found by: its searched values, and the texts that find them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};

use super::record::Record;
use super::sign_up::SignUp;

macro_rules! fields {
    ($($(#[$meaning:meta])* $field:ident = $name:literal,)+) => {
        /// The fields by which a subscription is searched for. Their names are part of stored keys.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum SearchField {
            $($(#[$meaning])* $field,)+
        }

        impl SearchField {
            pub const ALL: &[Self] = &[$(Self::$field,)+];

            /// As stored.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)+
                }
            }
        }
    };
}

fields! {
    /// The subscription's id.
    Subscription = "subscription",
    /// The name that the buyer chose.
    Name = "name",
    BeneficiaryEmail = "beneficiary-email",
    /// What follows the `@`, here and below.
    BeneficiaryDomain = "beneficiary-domain",
    BeneficiaryTenant = "beneficiary-tenant",
    PurchaserEmail = "purchaser-email",
    PurchaserDomain = "purchaser-domain",
    PurchaserTenant = "purchaser-tenant",
    /// The address that the buyer entered on the landing page.
    ContactEmail = "contact-email",
    ContactDomain = "contact-domain",
    /// The buyer's answer to a field of the landing page that asks for the company.
    Company = "company",
    /// The same for a field that asks for a person's name.
    Person = "person",
    /// The publisher's own reference.
    Reference = "reference",
}

impl SearchField {
    /// Those whose values a record has. The reference is beside it.
    pub const OF_RECORD: &[Self] = match Self::ALL {
        [of_record @ .., Self::Reference] => of_record,
        _ => panic!("the reference is the last field"),
    };
}

/// The names of landing page fields that ask for the company or for a person, as publishers write them.
/// Only their letters count, whether capital or not: `company_name` is `companyName`.
const ASKS_FOR_COMPANY: [&str; 4] = ["company", "companyname", "organisation", "organization"];
const ASKS_FOR_PERSON: [&str; 4] = ["name", "fullname", "contactname", "contactperson"];

/// A searched value, or the text to search for: trimmed, in lower case, and cut off after
/// [`SearchTerm::LONGEST`] characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchTerm(String);

impl SearchTerm {
    /// In characters. Fewer would match too much.
    pub const SHORTEST: usize = 3;

    /// In characters. What follows is not searched.
    pub const LONGEST: usize = 100;

    /// `None` for a text that is too short.
    pub fn of(text: &str) -> Option<Self> {
        // Letter by letter: the lower case of a whole word may depend on its end, and so a beginning
        // of the word would not match it.
        let letters = text.trim().chars().flat_map(char::to_lowercase);
        let term: String = letters.take(Self::LONGEST).collect();
        (term.chars().count() >= Self::SHORTEST).then_some(Self(term))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a search for `text` finds this value.
    pub fn is_found_by(&self, text: &Self) -> bool {
        self.0.starts_with(&text.0)
    }
}

/// Shows no text: it may be a person's name or address.
impl fmt::Debug for SearchTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchTerm").finish_non_exhaustive()
    }
}

/// The searched values by field. A value that several fields share is under the first of them.
pub type SearchTerms = BTreeMap<SearchField, SearchTerm>;

impl Record {
    pub fn search_terms(&self) -> SearchTerms {
        let subscription = &self.subscription;
        let (beneficiary, purchaser) = (&subscription.beneficiary, &subscription.purchaser);
        let sign_up = self.sign_up.as_ref();
        let (id, tenants) = (subscription.id.to_string(), [beneficiary, purchaser]);
        let [of_beneficiary, of_purchaser] =
            tenants.map(|party| party.tenant_id.map(|tenant| tenant.to_string()));
        let contact = sign_up.map(|sign_up| sign_up.contact_email.as_str());
        let mut known = BTreeSet::new();
        SearchField::OF_RECORD
            .iter()
            .filter_map(|field| {
                let value = match field {
                    SearchField::Subscription => Some(id.as_str()),
                    SearchField::Name => subscription.name.as_deref(),
                    SearchField::BeneficiaryEmail => beneficiary.email_id.as_deref(),
                    SearchField::BeneficiaryDomain => domain(beneficiary.email_id.as_deref()),
                    SearchField::BeneficiaryTenant => of_beneficiary.as_deref(),
                    SearchField::PurchaserEmail => purchaser.email_id.as_deref(),
                    SearchField::PurchaserDomain => domain(purchaser.email_id.as_deref()),
                    SearchField::PurchaserTenant => of_purchaser.as_deref(),
                    SearchField::ContactEmail => contact,
                    SearchField::ContactDomain => domain(contact),
                    SearchField::Company => answer(sign_up, &ASKS_FOR_COMPANY),
                    SearchField::Person => answer(sign_up, &ASKS_FOR_PERSON),
                    SearchField::Reference => None,
                };
                let term = SearchTerm::of(value?)?;
                known.insert(term.clone()).then_some((*field, term))
            })
            .collect()
    }
}

/// A digest of searched values, by which a change of any of them is noticed.
pub(super) fn digest(terms: &SearchTerms) -> String {
    const KEPT: usize = 12;
    let mut context = Context::new(&SHA256);
    for (field, term) in terms {
        // No name and no length has a zero, so the parts can't be taken for others.
        context.update(field.name().as_bytes());
        context.update(&[0]);
        context.update(term.0.len().to_string().as_bytes());
        context.update(&[0]);
        context.update(term.0.as_bytes());
    }
    let digest = context.finish();
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..KEPT])
}

fn domain(address: Option<&str>) -> Option<&str> {
    address?.rsplit_once('@').map(|(_, domain)| domain)
}

fn answer<'a>(sign_up: Option<&'a SignUp>, names: &[&str]) -> Option<&'a str> {
    let asks = |name: &str| {
        let letters = name.chars().filter(char::is_ascii_alphabetic);
        names.contains(
            &letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>().as_str(),
        )
    };
    sign_up?.fields.iter().find(|(name, _)| asks(name)).map(|(_, answer)| answer.as_str())
}

#[cfg(test)]
mod tests;
