//! `LANDING_OFFERS`: what the landing page says about single offers.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

use super::label::Label;
use crate::domain::Subscription;

/// By offer id. What an offer leaves out is as Microsoft or the deployment has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Offers(BTreeMap<String, OfferBranding>);

/// What belongs to one offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfferBranding {
    /// The offer's name. Microsoft's API names an offer by its id alone.
    #[serde(default)]
    pub name: Option<Label>,
    /// The names of plans by plan id, where they shall not be Microsoft's.
    #[serde(default)]
    pub plans: BTreeMap<String, Label>,
}

impl Offers {
    /// A purchase by the preview audience is of the offer itself.
    pub fn of(&self, subscription: &Subscription) -> Option<&OfferBranding> {
        self.0.get(subscription.public_offer())
    }
}

impl FromStr for Offers {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = r#"is not like {"offer-1":{"name":"Fleet","plans":{"gold":"Gold"}}}"#;
        let offers: Self = serde_json::from_str(text).map_err(|_| FORM)?;
        // serde would read a list as the members in their order.
        let raw: BTreeMap<String, Value> = serde_json::from_str(text).map_err(|_| FORM)?;
        if !raw.values().all(Value::is_object) {
            return Err(FORM);
        }
        let names =
            offers.0.values().flat_map(|offer| offer.name.iter().chain(offer.plans.values()));
        if names.into_iter().all(Label::is_fit) {
            Ok(offers)
        } else {
            Err("has a name that is empty or too long")
        }
    }
}
