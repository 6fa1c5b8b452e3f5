//! What can be chosen about a run of the emulator.

mod behaviour;
mod client_refusal;
mod oddities;

pub use behaviour::{Behaviour, EmptyList, LastLink, ListEntries, TokenVersion, WebhookForm};
pub use client_refusal::ClientRefusal;
pub use oddities::{FlatQuantity, Oddities};

use jiff::Timestamp;
use std::path::PathBuf;

/// The application id of the real marketplace API (F-AUTH-2). Microsoft's webhooks name it as their
/// caller.
pub const MARKETPLACE_APP_ID: &str = "20e940b3-4c77-4b0b-9a53-9e16a1b010a7";

/// `Settings::default()` behaves as the newest documentation says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The publisher's tenant, as entered in the offer's Technical configuration.
    pub tenant_id: String,
    /// The publisher's application for API calls.
    pub client_id: String,
    /// The secret of [`Settings::client_id`].
    pub client_secret: String,
    /// Audience of the publisher's access tokens, and caller of the webhooks.
    pub marketplace_app_id: String,
    /// The landing page's own application (F-LP-6).
    pub landing_client_id: String,
    /// The secret of [`Settings::landing_client_id`].
    pub landing_client_secret: String,
    /// The application of the console, of the publisher's tenant alone.
    pub console_client_id: String,
    /// The secret of [`Settings::console_client_id`].
    pub console_client_secret: String,
    /// Why Entra refuses every application. `None`: it doesn't.
    pub client_refusal: Option<ClientRefusal>,
    /// Redirect addresses registered for the landing page's application. Empty: every address is
    /// accepted.
    pub landing_redirect_uris: Vec<String>,
    /// Where Microsoft sends buyers with `?token=…`.
    pub landing_url: Option<String>,
    /// Where Microsoft sends webhooks.
    pub webhook_url: Option<String>,
    /// The publisher's management API. The web page shows its records beside Microsoft's.
    pub publisher_url: Option<String>,
    /// The publisher's id in every object.
    pub publisher_id: String,
    /// Port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Every GUID and token of a run comes from this number.
    pub seed: u64,
    /// True: the clock follows the system's. False: only `World::advance` moves it.
    pub live: bool,
    /// Where the clock starts if it does not follow the system's.
    pub start: Timestamp,
    /// The file that keeps Microsoft's side for the next run. `None`: it ends with this one.
    pub kept_in: Option<PathBuf>,
    pub behaviour: Behaviour,
    pub oddities: Oddities,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tenant_id: "8d7b0a3e-5f4c-4c7d-9f2a-6f1e0c2b9a11".into(),
            client_id: "4b1d6c52-0f3e-4a86-b7d9-2c5e8f7a6013".into(),
            client_secret: "emulated-client-secret".into(),
            marketplace_app_id: MARKETPLACE_APP_ID.into(),
            landing_client_id: "e0a5f9d4-7c1b-4e2f-8a36-91d4b7c3f528".into(),
            landing_client_secret: "emulated-landing-secret".into(),
            console_client_id: "3c7e1b85-92d6-4f0a-b4e8-5a1d7f60c932".into(),
            console_client_secret: "emulated-console-secret".into(),
            client_refusal: None,
            landing_redirect_uris: Vec::new(),
            landing_url: None,
            webhook_url: None,
            publisher_url: None,
            publisher_id: "fabrikam".into(),
            port: 0,
            seed: 1,
            live: false,
            // A fraction with seven digits, so that every timestamp carries one (F-GEN-12).
            start: Timestamp::new(1_772_615_700, 123_456_700)
                .expect("the time is inside jiff's range"),
            kept_in: None,
            behaviour: Behaviour::default(),
            oddities: Oddities::default(),
        }
    }
}
