//! What a run of the emulator can be told before it starts, and (for behaviour) while it runs.

use jiff::Timestamp;
use std::time::Duration;

/// The application id of the real marketplace API (F-AUTH-2), which signs itself as the caller of webhooks.
pub const MARKETPLACE_APP_ID: &str = "20e940b3-4c77-4b0b-9a53-9e16a1b010a7";

/// Everything about a run that can be chosen. `Settings::default()` behaves as the newest documentation says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The publisher's tenant, as entered in the offer's Technical configuration.
    pub tenant_id: String,
    /// The publisher's application for API calls.
    pub client_id: String,
    /// The secret of [`Settings::client_id`].
    pub client_secret: String,
    /// Audience of the publisher's access tokens and caller of the webhooks.
    pub marketplace_app_id: String,
    /// The landing page's own application (F-LP-6).
    pub landing_client_id: String,
    /// The secret of [`Settings::landing_client_id`].
    pub landing_client_secret: String,
    /// Redirect addresses registered for the landing page's application. Empty: any is accepted.
    pub landing_redirect_uris: Vec<String>,
    /// Where buyers are sent with `?token=…`.
    pub landing_url: Option<String>,
    /// Where webhooks are sent.
    pub webhook_url: Option<String>,
    /// The publisher's own management API, to be shown beside Microsoft's record on the web page.
    pub publisher_url: Option<String>,
    /// The publisher's id in every object.
    pub publisher_id: String,
    /// Port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Every GUID and token of a run comes from this number.
    pub seed: u64,
    /// True: the clock follows the system's. False: it moves with `World::advance` only.
    pub live: bool,
    /// Where the clock starts when it does not follow the system's.
    pub start: Timestamp,
    /// How the marketplace behaves where documentation leaves room.
    pub behaviour: Behaviour,
    /// Deviations in the shape of what is sent.
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
            behaviour: Behaviour::default(),
            oddities: Oddities::default(),
        }
    }
}

/// How the marketplace behaves where documentation is silent, contradicts itself, or reality was seen to differ.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Time from Activate's 200 to `Subscribed` (F-ACT-3). Zero: at once.
    pub activation_delay: Duration,
    /// Activate on a `Subscribed` subscription answers 200 instead of 400 (F-ACT-4).
    pub activate_again_succeeds: bool,
    /// An unactivated purchase is voided after this time (F-LC-3).
    pub activation_deadline: Option<Duration>,
    /// A suspended subscription ends after this time (F-LC-6).
    pub suspension_grace: Duration,
    /// Whether terms renew, convert or end by the clock. `None`: only in a live run.
    pub auto_renew_by_clock: Option<bool>,
    /// The window in which a change can be refused (F-WHA-10).
    pub acknowledgement_window: Duration,
    /// Time in which a change asked for by the publisher stays `NotStarted`. Zero: until it is first read or delivered.
    pub operation_start_delay: Duration,
    /// Time between two attempts to deliver a webhook (F-WHD-4, Q-5).
    pub retry_interval: Duration,
    /// Time after which delivery is given up and the operation fails.
    pub retry_window: Duration,
    /// Real time allowed to the publisher to answer a webhook.
    pub webhook_timeout: Duration,
    /// The form of the token on webhooks (F-WHJ-3).
    pub webhook_token: TokenVersion,
    /// The body's form (F-WHP-6).
    pub webhook_form: WebhookForm,
    /// `Renew` carries the term that has just ended.
    pub renew_carries_old_term: bool,
    /// PATCH `Failure` on an operation is answered 200 and ignored (F-WHA-12).
    pub failure_is_ignored: bool,
    /// PATCH `Failure` leaves a subscription being reinstated suspended, as before 2022 (F-WHA-11).
    pub reinstate_obeys_failure: bool,
    /// PATCH on an operation with source `Partner` answers 500 (F-OPU-6).
    pub partner_update_fails: bool,
    /// Unknown operations answer 400 `EntityNotFound` instead of 404 (F-OPG-3).
    pub not_found_is_400: bool,
    /// List operations answers an empty list for an unknown subscription (F-OPL-3).
    pub unknown_lists_no_operations: bool,
    /// List operations answers a bare array (F-OPL-2).
    pub operations_as_array: bool,
    /// The status for a bad access token: 403, or 401 as in 2026 (F-AUTH-12).
    pub unauthorized_status: u16,
    /// Life of access tokens.
    pub token_lifetime: Duration,
    /// Life of purchase tokens (F-RES-4).
    pub purchase_token_lifetime: Duration,
    /// The most subscriptions in one page of the list (F-LST-4).
    pub page_size: usize,
    /// Pages before the last hold fewer than [`Behaviour::page_size`], each another number (F-LST-4).
    pub short_pages: bool,
    /// How the last page says that it is the last.
    pub last_link: LastLink,
    /// What List answers when there is nothing (F-LST-6).
    pub empty_list: EmptyList,
    /// Base of `@nextLink` and `Operation-Location`: another host than the one called (F-GEN-8).
    pub link_base: String,
    /// Get and List answer as of this long ago.
    pub stale_reads: Option<Duration>,
    /// The most calls kept in the log.
    pub log_limit: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            activation_delay: Duration::ZERO,
            activate_again_succeeds: false,
            activation_deadline: Some(Duration::from_secs(30 * DAY)),
            suspension_grace: Duration::from_secs(30 * DAY),
            auto_renew_by_clock: None,
            acknowledgement_window: Duration::from_secs(10),
            operation_start_delay: Duration::ZERO,
            retry_interval: Duration::from_secs(60),
            retry_window: Duration::from_secs(8 * 60 * 60),
            webhook_timeout: Duration::from_secs(30),
            webhook_token: TokenVersion::V1,
            webhook_form: WebhookForm::Full,
            renew_carries_old_term: false,
            failure_is_ignored: false,
            reinstate_obeys_failure: false,
            partner_update_fails: false,
            not_found_is_400: false,
            unknown_lists_no_operations: false,
            operations_as_array: false,
            unauthorized_status: 403,
            token_lifetime: Duration::from_secs(60 * 60),
            purchase_token_lifetime: Duration::from_secs(DAY),
            page_size: 100,
            short_pages: false,
            last_link: LastLink::Absent,
            empty_list: EmptyList::EmptyBody,
            // A reserved name: a client that follows the link as it stands reaches nobody with its token.
            link_base: "https://main.prod.marketplaceapi.example/api".into(),
            stale_reads: None,
            log_limit: 10_000,
        }
    }
}

/// Deviations in shape that were seen in documents or in real traffic.
#[derive(Clone, Debug, Default)]
pub struct Oddities {
    /// Statuses, actions and e-mail addresses carry blanks (F-GEN-11).
    pub padded_strings: bool,
    /// Quantities are strings with a blank (F-WHP-7).
    pub numbers_as_strings: bool,
    /// Every object has members nobody documented (F-GEN-10).
    pub extra_fields: bool,
    /// `puid` and `objectId` are null (F-OBJ-4).
    pub null_person_ids: bool,
    /// Resolve leaves out the `subscription` member (F-RES-6).
    pub short_resolve: bool,
    /// Every subscription reports this word as its status.
    pub subscription_status: Option<String>,
    /// Every operation reports this word as its status.
    pub operation_status: Option<String>,
    /// Every subscription reports this term unit (`PAY` was seen, F-OBJ-7).
    pub term_unit: Option<String>,
}

/// The two forms of Entra's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenVersion {
    /// `ver` 1.0: caller in `appid`, issuer `https://sts.windows.net/{tid}/`.
    V1,
    /// `ver` 2.0: caller in `azp`, issuer `{authority}/{tid}/v2.0`, no `nbf`.
    V2,
}

/// The forms of a webhook's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookForm {
    /// The current form, with the subscription's snapshot.
    Full,
    /// Without plan, status and subscription.
    Sparse,
    /// `{subscriptionId, operationType}` only.
    VeryOld,
}

/// How a list's last page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastLink {
    /// No `@nextLink` member.
    Absent,
    /// An empty `@nextLink`.
    Empty,
    /// `@nextLink` is null.
    Null,
}

/// A list without elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyList {
    /// 200 with no body at all.
    EmptyBody,
    /// `{}`.
    EmptyObject,
    /// `{"subscriptions":null}`.
    NullArray,
    /// `{"subscriptions":[]}`.
    EmptyArray,
}
