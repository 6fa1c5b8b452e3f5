//! What the marketplace does where its documentation is silent or contradicts itself, or where the
//! real service was seen to differ.

use std::num::NonZeroUsize;
use std::time::Duration;

/// `Behaviour::default()` is what the newest documentation describes.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Time from Activate's 200 to `Subscribed` (F-ACT-3). Zero: at once.
    pub activation_delay: Duration,
    /// Activate on a `Subscribed` subscription answers 200 instead of 400 (F-ACT-4).
    pub activate_again_succeeds: bool,
    /// The activation of every n-th purchase ends in `Unsubscribed` after its 200 (F-ACT-3).
    pub activation_fails_every: Option<NonZeroUsize>,
    /// A purchase that is not activated for this long ends (F-LC-3).
    pub activation_deadline: Option<Duration>,
    /// A subscription that is suspended for this long ends (F-LC-6).
    pub suspension_grace: Duration,
    /// Whether the clock renews, converts or ends terms. `None`: only in a live run.
    pub auto_renew_by_clock: Option<bool>,
    /// How long the publisher can refuse a change (F-WHA-10).
    pub acknowledgement_window: Duration,
    /// How long a change that the publisher requested stays `NotStarted`. Zero: until the first
    /// read or delivery.
    pub operation_start_delay: Duration,
    /// Time between two attempts to deliver a webhook (F-WHD-4, Q-5).
    pub retry_interval: Duration,
    /// After this long, Microsoft gives up the delivery and the operation fails.
    pub retry_window: Duration,
    /// How long Microsoft waits for the answer to a webhook, in real time.
    pub webhook_timeout: Duration,
    /// The form of a webhook's token (F-WHJ-3).
    pub webhook_token: TokenVersion,
    /// The form of a webhook's body (F-WHP-6).
    pub webhook_form: WebhookForm,
    /// `Renew` carries the term that has just ended.
    pub renew_carries_old_term: bool,
    /// PATCH `Failure` on an operation is answered 200 and ignored (F-WHA-12).
    pub failure_is_ignored: bool,
    /// PATCH `Failure` on a reinstatement leaves the subscription suspended, as before 2022
    /// (F-WHA-11).
    pub reinstate_obeys_failure: bool,
    /// A subscription is active as soon as the customer has paid, before the publisher gets the
    /// webhook. The operation stays open (F-WHA-7).
    pub reinstates_early: bool,
    /// A change to the value in force ends in `Conflict` (F-OP-2).
    pub conflict_in_force: bool,
    /// PATCH on an operation with source `Partner` answers 500 (F-OPU-6).
    pub partner_update_fails: bool,
    /// An unknown operation is a 400 `EntityNotFound` instead of a 404 (F-OPG-3).
    pub not_found_is_400: bool,
    /// Get operation doesn't know an operation before it is this old (F-OPG-5).
    pub operation_delay: Duration,
    /// Get operation knows plan and seat changes only (F-OPG-5).
    pub keeps_changes_only: bool,
    /// List operations doesn't show an operation before it is this old (F-OPL-3).
    pub operation_list_delay: Duration,
    /// List operations answers an empty list for an unknown subscription (F-OPL-3).
    pub unknown_lists_no_operations: bool,
    /// List operations answers a bare array (F-OPL-2).
    pub operations_as_array: bool,
    /// The status for a bad access token: 403, or 401 as in 2026 (F-AUTH-12).
    pub unauthorized_status: u16,
    /// How long an access token is valid.
    pub token_lifetime: Duration,
    /// How long a purchase token is valid (F-RES-4).
    pub purchase_token_lifetime: Duration,
    /// The most subscriptions on one page of the list (F-LST-4).
    pub page_size: usize,
    /// The pages before the last are shorter than [`Behaviour::page_size`], and of different
    /// lengths (F-LST-4).
    pub short_pages: bool,
    pub last_link: LastLink,
    /// The page of the list that holds the subscription at this place, counted from zero, always fails.
    pub failing_page: Option<usize>,
    /// The status that it fails with.
    pub failing_page_status: u16,
    /// List has another order at every call, so a walk through its pages can miss entries and meet
    /// others twice.
    pub unstable_order: bool,
    pub list_entries: ListEntries,
    /// What List answers when there are no subscriptions (F-LST-6).
    pub empty_list: EmptyList,
    /// Base of `@nextLink` and `Operation-Location`, on another host than the one that was called
    /// (F-GEN-8).
    pub link_base: String,
    /// Get and List show the state of this long ago (F-GET-4).
    pub stale_reads: Option<Duration>,
    /// List shows the state of this long ago, if that is longer (F-LST-9).
    pub stale_list: Option<Duration>,
    /// Resolve shows the state of this long ago.
    pub stale_resolve: Option<Duration>,
    /// List available plans leaves the current plan out (F-PLN-8).
    pub missing_plan: bool,
    /// How many calls the log keeps at least.
    pub log_limit: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            activation_delay: Duration::ZERO,
            activate_again_succeeds: false,
            activation_fails_every: None,
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
            reinstates_early: false,
            conflict_in_force: false,
            partner_update_fails: false,
            not_found_is_400: false,
            operation_delay: Duration::ZERO,
            keeps_changes_only: false,
            operation_list_delay: Duration::ZERO,
            unknown_lists_no_operations: false,
            operations_as_array: false,
            unauthorized_status: 403,
            token_lifetime: Duration::from_secs(60 * 60),
            purchase_token_lifetime: Duration::from_secs(DAY),
            page_size: 100,
            short_pages: false,
            last_link: LastLink::Absent,
            failing_page: None,
            failing_page_status: 500,
            unstable_order: false,
            list_entries: ListEntries::Once,
            empty_list: EmptyList::EmptyBody,
            // The host does not exist, so a client that follows the link as it is leaks no token.
            link_base: "https://main.prod.marketplaceapi.example/api".into(),
            stale_reads: None,
            stale_list: None,
            stale_resolve: None,
            missing_plan: false,
            log_limit: 10_000,
        }
    }
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

/// How a list says that a page is the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastLink {
    /// Without the member `@nextLink`.
    Absent,
    /// With an empty `@nextLink`.
    Empty,
    /// With a null `@nextLink`.
    Null,
}

/// How often the list holds a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListEntries {
    Once,
    /// Every page but the first lacks its first entry.
    SkippedBetweenPages,
    /// Every page but the first begins with the last entry of the page before it.
    DoubledBetweenPages,
    /// Every page ends with its first entry once more.
    DoubledOnPage,
}

/// The forms of an empty list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyList {
    /// 200 without a body.
    EmptyBody,
    /// `{}`.
    EmptyObject,
    /// `{"subscriptions":null}`.
    NullArray,
    /// `{"subscriptions":[]}`.
    EmptyArray,
}
