//! The pages of one offer.

use std::collections::BTreeMap;

use super::{ActivationMode, Branding, OfferBranding, Offers};

impl Branding {
    /// The pages of one offer: its own settings, and the deployment's where it has none.
    #[must_use]
    pub fn of_offer(&self, offer: &OfferBranding) -> Self {
        let deployment = OfferBranding {
            name: None,
            plans: BTreeMap::new(),
            publisher_name: self.name.clone(),
            logo: self.logo.clone(),
            logo_dark: self.logo_dark.clone(),
            accent: Some(self.accent),
            support: self.support.clone(),
            product_url: self.product_url.clone(),
            privacy_url: self.privacy_url.clone(),
            terms_url: self.terms_url.clone(),
            imprint_url: self.imprint_url.clone(),
            fields: Some(self.fields.clone()),
            languages: None,
            activation: Some(self.activation),
            sign_up: self.sign_up.clone(),
        };
        let own = offer.clone().over(&deployment);
        Self {
            name: own.publisher_name,
            logo: own.logo,
            logo_dark: own.logo_dark,
            accent: own.accent.unwrap_or(self.accent),
            support: own.support,
            product_url: own.product_url,
            privacy_url: own.privacy_url,
            terms_url: own.terms_url,
            imprint_url: own.imprint_url,
            fields: own.fields.unwrap_or_default(),
            activation: match own.sign_up {
                Some(_) => ActivationMode::ByPublisher,
                None => own.activation.unwrap_or(self.activation),
            },
            sign_up: own.sign_up,
            offers: Offers::default(),
        }
    }
}
