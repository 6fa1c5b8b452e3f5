//! What Entra knows: the publisher's tenant, its applications, the signing keys and the
//! sign-ins under way.

use super::aws_account::AwsAccount;
use super::grant::Grant;
use super::keys::{self, TestKey};
use super::managed_identity::ManagedIdentity;
use super::registration::{Registration, WebApp};
use crate::people::Person;
use crate::seeded::Seeded;
use crate::settings::{ClientRefusal, Settings, TokenVersion};
use crate::staff::{StaffMember, staff};
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// Entra with the tenant of one publisher.
#[derive(Debug)]
pub struct Entra {
    pub(super) authority: String,
    pub(super) tenant_id: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) marketplace_app_id: String,
    pub(super) landing: WebApp,
    pub(super) console: WebApp,
    pub(super) token_lifetime: Duration,
    // In seconds.
    pub(super) issuing_interval: i64,
    // The id of the application's service principal (F-AUTH-10).
    pub(super) service_principal: Uuid,
    pub(super) now: Timestamp,
    pub(super) ids: Seeded,
    // Which turn of the key rotation signs.
    turn: usize,
    // The turns whose keys are published, the newest last.
    pub(super) published: Vec<usize>,
    // The turns whose keys are published for the publisher's applications only (F-WHJ-10).
    pub(super) for_applications: Vec<usize>,
    pub(super) grants: HashMap<String, Grant>,
    pub(super) refusal: Option<ClientRefusal>,
    // What was sent in the place of client secrets, with or without success.
    pub(super) assertions: Vec<String>,
    // By client id.
    pub(super) registrations: HashMap<String, Registration>,
    pub(super) aws_account: AwsAccount,
    pub(super) managed_identity: ManagedIdentity,
    pub(super) key_fetches: u64,
    pub(super) discovery_fetches: u64,
    pub(super) token_requests: u64,
}

impl Entra {
    pub(crate) fn new(settings: &Settings) -> Self {
        // A sequence of its own, so that tokens do not shift the ids of subscriptions.
        let mut ids = Seeded::new(settings.seed ^ 0x00e4_742a);
        Self {
            authority: "https://login.microsoftonline.example".to_owned(),
            tenant_id: settings.tenant_id.clone(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            marketplace_app_id: settings.marketplace_app_id.clone(),
            landing: WebApp {
                client_id: settings.landing_client_id.clone(),
                client_secret: settings.landing_client_secret.clone(),
                redirect_uris: settings.landing_redirect_uris.clone(),
            },
            console: WebApp {
                client_id: settings.console_client_id.clone(),
                client_secret: settings.console_client_secret.clone(),
                redirect_uris: Vec::new(),
            },
            token_lifetime: settings.behaviour.token_lifetime,
            issuing_interval: 60,
            service_principal: ids.uuid(),
            now: settings.start,
            ids,
            turn: 0,
            published: vec![0],
            for_applications: Vec::new(),
            grants: HashMap::new(),
            refusal: settings.client_refusal,
            assertions: Vec::new(),
            registrations: HashMap::new(),
            aws_account: AwsAccount::default(),
            managed_identity: ManagedIdentity::default(),
            key_fetches: 0,
            discovery_fetches: 0,
            token_requests: 0,
        }
    }

    /// The address in front of `/{tenant}/…`, without a slash at the end.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Sets the address of Entra, which is also part of issuers and documents.
    pub fn set_authority(&mut self, authority: &str) {
        authority.trim_end_matches('/').clone_into(&mut self.authority);
    }

    /// Replaces the publisher's secret. Entra refuses the old one from now on.
    pub fn set_client_secret(&mut self, secret: &str) {
        secret.clone_into(&mut self.client_secret);
    }

    /// The same for the landing page's application.
    pub fn set_landing_client_secret(&mut self, secret: &str) {
        secret.clone_into(&mut self.landing.client_secret);
    }

    /// Refuses every application from now on; `None`: no longer.
    pub fn refuse_clients(&mut self, refusal: Option<ClientRefusal>) {
        self.refusal = refusal;
    }

    pub(crate) fn token_lifetime(&self) -> Duration {
        self.token_lifetime
    }

    /// Sets how long the tokens issued from now on are valid.
    pub fn set_token_lifetime(&mut self, lifetime: Duration) {
        self.token_lifetime = lifetime;
    }

    /// Sets how often there is a new token; by default once a minute. All requests within one
    /// interval get the same token, which saves signatures.
    ///
    /// # Panics
    /// If the interval is shorter than a second.
    pub fn set_issuing_interval(&mut self, interval: Duration) {
        assert!(interval.as_secs() > 0, "an interval is at least a second");
        self.issuing_interval = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX / 2);
    }

    /// Registers a redirect address for the landing page. Once one is registered, Entra accepts no
    /// others.
    pub fn add_redirect_uri(&mut self, uri: &str) {
        self.landing.redirect_uris.push(uri.to_owned());
    }

    pub(crate) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Signs with a new key from now on, and keeps the old ones published.
    pub fn rotate_keys(&mut self) {
        self.turn += 1;
        self.published.push(self.turn);
    }

    /// Signs with a new key from now on, which is published for the publisher's applications only.
    pub fn rotate_to_an_application_key(&mut self) {
        self.turn += 1;
        self.for_applications.push(self.turn);
    }

    /// Publishes only the key that signs.
    pub fn withdraw_old_keys(&mut self) {
        self.published = vec![self.turn];
    }

    /// The id of the key that signs.
    pub fn signing_kid(&self) -> String {
        self.key().kid().to_owned()
    }

    pub(super) fn key(&self) -> &'static TestKey {
        keys::rotated(self.turn)
    }

    /// How often a client fetched a key document.
    pub fn key_fetches(&self) -> u64 {
        self.key_fetches
    }

    /// How often a client fetched a discovery document.
    pub fn discovery_fetches(&self) -> u64 {
        self.discovery_fetches
    }

    /// How often a client requested a token, with or without success.
    pub fn token_requests(&self) -> u64 {
        self.token_requests
    }

    /// The issuer in tokens of this version for the publisher's tenant (F-WHJ-2).
    pub fn issuer(&self, version: TokenVersion) -> String {
        self.issuer_of(&self.tenant_id, version)
    }

    pub(super) fn issuer_of(&self, tenant: &str, version: TokenVersion) -> String {
        match version {
            TokenVersion::V1 => format!("https://sts.windows.net/{tenant}/"),
            TokenVersion::V2 => format!("{}/{tenant}/v2.0", self.authority),
        }
    }

    /// The application that signs people in, by its client id.
    pub(super) fn web_app(&self, client_id: &str) -> Option<&WebApp> {
        [&self.landing, &self.console].into_iter().find(|app| app.client_id == client_id)
    }

    /// The publisher's people, whom the console's application admits.
    pub(super) fn staff(&self) -> Vec<StaffMember> {
        staff(self.tenant_id.parse().expect("the publisher's tenant is a GUID"))
    }

    pub(super) fn is_known_tenant(&self, tenant: &str) -> bool {
        is_shared(tenant)
            || tenant.eq_ignore_ascii_case(&self.tenant_id)
            || Person::everybody()
                .iter()
                .any(|person| tenant.eq_ignore_ascii_case(&person.tenant_id.to_string()))
    }
}

/// Whether the name means many tenants at once.
pub(super) fn is_shared(tenant: &str) -> bool {
    matches!(tenant, "common" | "organizations" | "consumers")
}
