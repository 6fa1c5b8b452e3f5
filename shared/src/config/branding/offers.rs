//! What single offers have of their own on the landing page: `LANDING_OFFERS`, and the table's settings of
//! offers, which have the same form.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use super::activation_mode::ActivationMode;
use super::addresses::{SignUpPage, Support, page, support};
use super::fields::{Field, fields_of, has_unknown_member};
use super::label::{Label, publisher_name};
use super::logo::{Logo, logo};
use super::members::{Members, Mode};
use crate::domain::Subscription;
use crate::web::Colour;

/// The languages that the landing page has. One of its tests compares them with its files.
pub const LANGUAGES: [&str; 3] = ["de", "en", "sv"];

/// By offer id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers(BTreeMap<String, OfferBranding>);

/// What belongs to one offer. What it leaves out is as Microsoft or the deployment has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferBranding {
    /// The offer's name. Microsoft's API names an offer by its id alone.
    pub name: Option<Label>,
    /// The names of plans by plan id, where they shall not be Microsoft's.
    pub plans: BTreeMap<String, Label>,
    pub publisher_name: Option<String>,
    pub logo: Option<Logo>,
    pub logo_dark: Option<Logo>,
    pub accent: Option<Colour>,
    pub support: Option<Support>,
    pub product_url: Option<String>,
    pub privacy_url: Option<String>,
    pub terms_url: Option<String>,
    pub imprint_url: Option<String>,
    pub fields: Option<Vec<Field>>,
    /// The languages of its pages; the first one is for readers who prefer none of them.
    pub languages: Option<Vec<String>>,
    pub activation: Option<ActivationMode>,
    pub sign_up: Option<SignUpPage>,
}

/// Why settings of offers are refused. It repeats no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OffersError {
    #[error(r#"is not like {{"offer-1":{{"name":"Fleet","plans":{{"gold":"Gold"}}}}}}"#)]
    Form,
    #[error("has a member `{member}` that {problem}")]
    Member { offer: String, member: &'static str, problem: &'static str },
    #[error("has a member that offers don't have")]
    Unknown { offer: String },
    #[error("has {problem}")]
    Conflict { offer: String, problem: &'static str },
}

impl OffersError {
    /// The offer with the mistake, if it is a single one.
    pub fn offer(&self) -> Option<&str> {
        match self {
            Self::Form => None,
            Self::Member { offer, .. } | Self::Unknown { offer } | Self::Conflict { offer, .. } => {
                Some(offer)
            }
        }
    }
}

impl Offers {
    /// Refuses everything that it doesn't understand.
    pub fn read(offers: &Map<String, Value>) -> Result<Self, OffersError> {
        let mut read = BTreeMap::new();
        for (offer, settings) in offers {
            let mut members = Members::of(settings, Mode::Strict).ok_or(OffersError::Form)?;
            let settings = OfferBranding::read(&mut members);
            if let Some((member, problem)) = members.wrong.first() {
                let offer = offer.clone();
                return Err(OffersError::Member { offer, member, problem });
            }
            if members.has_unknown() {
                return Err(OffersError::Unknown { offer: offer.clone() });
            }
            if let Some(problem) = settings.conflict() {
                return Err(OffersError::Conflict { offer: offer.clone(), problem });
            }
            read.insert(offer.clone(), settings);
        }
        Ok(Self(read))
    }

    /// Reads what another version of this program may have stored: a member that can't be read is as absent.
    pub fn read_stored(offers: &Map<String, Value>) -> Self {
        let read = |(offer, settings): (&String, &Value)| {
            Some((offer.clone(), OfferBranding::read(&mut Members::of(settings, Mode::Stored)?)))
        };
        Self(offers.iter().filter_map(read).collect())
    }

    /// These, and where they leave a member out, the ones beneath.
    #[must_use]
    pub fn over(mut self, beneath: &Self) -> Self {
        for (offer, settings) in &beneath.0 {
            let own = self.0.remove(offer).unwrap_or_default();
            self.0.insert(offer.clone(), own.over(settings));
        }
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &OfferBranding)> {
        self.0.iter().map(|(offer, settings)| (offer.as_str(), settings))
    }

    /// A purchase by the preview audience is of the offer itself.
    pub fn of(&self, subscription: &Subscription) -> Option<&OfferBranding> {
        self.0.get(subscription.public_offer())
    }
}

impl FromStr for Offers {
    type Err = OffersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(&serde_json::from_str(text).map_err(|_| OffersError::Form)?)
    }
}

impl OfferBranding {
    fn read(members: &mut Members<'_>) -> Self {
        Self {
            name: members.take("name", label),
            plans: members.take("plans", plans).unwrap_or_default(),
            publisher_name: members.text("publisherName", publisher_name),
            logo: members.text("logo", logo),
            logo_dark: members.text("logoDark", logo),
            accent: members.text("accent", str::parse),
            support: members.text("support", support),
            product_url: members.text("productUrl", page),
            privacy_url: members.text("privacyUrl", page),
            terms_url: members.text("termsUrl", page),
            imprint_url: members.text("imprintUrl", page),
            fields: members.take("fields", fields),
            languages: members.take("languages", languages),
            activation: members.text("activation", str::parse),
            sign_up: members.text("signUpUrl", SignUpPage::parse),
        }
    }

    /// Members that exclude each other.
    fn conflict(&self) -> Option<&'static str> {
        if self.logo_dark.is_some() && self.logo.is_none() {
            return Some("a `logoDark` without a `logo`");
        }
        let is_ours = self.activation == Some(ActivationMode::OnConfirm);
        (is_ours && self.sign_up.is_some())
            .then_some("a `signUpUrl`, after which the product activates, and `on-confirm`")
    }

    pub(super) fn over(self, beneath: &Self) -> Self {
        // A logo goes with its dark one, and a sign-up page with who activates.
        let (logo, logo_dark) = match self.logo {
            Some(logo) => (Some(logo), self.logo_dark),
            None => (beneath.logo.clone(), beneath.logo_dark.clone()),
        };
        let (activation, sign_up) = match (self.activation, self.sign_up) {
            (None, None) => (beneath.activation, beneath.sign_up.clone()),
            (Some(ActivationMode::ByPublisher), None) => {
                (Some(ActivationMode::ByPublisher), beneath.sign_up.clone())
            }
            own => own,
        };
        let mut plans = beneath.plans.clone();
        plans.extend(self.plans);
        Self {
            name: self.name.or_else(|| beneath.name.clone()),
            plans,
            publisher_name: self.publisher_name.or_else(|| beneath.publisher_name.clone()),
            logo,
            logo_dark,
            accent: self.accent.or(beneath.accent),
            support: self.support.or_else(|| beneath.support.clone()),
            product_url: self.product_url.or_else(|| beneath.product_url.clone()),
            privacy_url: self.privacy_url.or_else(|| beneath.privacy_url.clone()),
            terms_url: self.terms_url.or_else(|| beneath.terms_url.clone()),
            imprint_url: self.imprint_url.or_else(|| beneath.imprint_url.clone()),
            fields: self.fields.or_else(|| beneath.fields.clone()),
            languages: self.languages.or_else(|| beneath.languages.clone()),
            activation,
            sign_up,
        }
    }
}

fn label(value: &Value, _: Mode) -> Result<Label, &'static str> {
    let label = Label::deserialize(value).map_err(|_| "is neither a text nor texts by language")?;
    if label.is_fit() { Ok(label) } else { Err("is empty or too long") }
}

fn plans(value: &Value, _: Mode) -> Result<BTreeMap<String, Label>, &'static str> {
    let plans = BTreeMap::<String, Label>::deserialize(value);
    let plans = plans.map_err(|_| "does not hold the names of plans by plan id")?;
    if plans.values().all(Label::is_fit) {
        Ok(plans)
    } else {
        Err("holds a name that is empty or too long")
    }
}

fn fields(value: &Value, mode: Mode) -> Result<Vec<Field>, &'static str> {
    if mode == Mode::Strict && has_unknown_member(value) {
        return Err("holds a field with an unknown member");
    }
    fields_of(value)
}

fn languages(value: &Value, mode: Mode) -> Result<Vec<String>, &'static str> {
    let codes = Vec::<String>::deserialize(value).map_err(|_| "is not a list of languages")?;
    let count = codes.len();
    let mut known = Vec::new();
    for code in codes {
        if LANGUAGES.contains(&code.as_str()) && !known.contains(&code) {
            known.push(code);
        }
    }
    match mode {
        Mode::Strict if known.len() != count => {
            Err("names a language twice, or one that the page doesn't have")
        }
        _ if known.is_empty() => Err("names no language"),
        Mode::Strict | Mode::Stored => Ok(known),
    }
}

#[cfg(test)]
mod tests;
