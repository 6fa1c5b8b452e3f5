//! What a language has to say. A phrase that is missing from a file, or one too many, fails a test.

use serde::Deserialize;

/// All of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phrases {
    /// How days and numbers are written.
    pub format: Format,
    /// What stands around every page.
    pub frame: Frame,
    /// What was bought.
    pub details: Details,
    /// A new purchase.
    pub pending: Pending,
    /// What is wrong with a form.
    pub errors: Errors,
    /// Confirmed, and under way.
    pub activating: Activating,
    /// Confirmed, and with the publisher.
    pub preparing: Preparing,
    /// In force.
    pub active: Active,
    /// What may be changed.
    pub manage: Manage,
    /// A change, before it is asked for.
    pub change: Change,
    /// Payment is due.
    pub suspended: Suspended,
    /// Over.
    pub unsubscribed: Unsubscribed,
    /// A status nobody knows yet.
    pub unknown: Unknown,
    /// Pages that say something and no more.
    pub messages: Messages,
    /// Ways on.
    pub links: Links,
}

/// A page that says something and no more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    /// Its heading.
    pub title: String,
    /// Its paragraphs.
    pub text: Vec<String>,
}

/// How days and numbers are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Format {
    pub direction: String,
    pub date: String,
    pub months: Vec<String>,
    pub thousands: String,
}

/// What stands around every page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Frame {
    pub setup: String,
    pub unsafe_sign_in: String,
    pub signed_in_as: String,
    pub your_account: String,
    pub other_account: String,
    pub help: String,
    pub support: String,
}

/// What was bought.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Details {
    pub heading: String,
    pub subscription: String,
    pub offer: String,
    pub plan: String,
    pub seats: String,
    pub term: String,
    pub trial: String,
    pub free_trial: String,
    pub renews: String,
    pub valid: String,
    pub beneficiary: String,
    pub purchaser: String,
    pub month: String,
    pub months: String,
    pub year: String,
    pub years: String,
}

/// A new purchase.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pending {
    pub status: String,
    pub title: String,
    pub text: String,
    pub trial: String,
    pub deadline: String,
    pub your_details: String,
    pub contact: String,
    pub contact_hint: String,
    pub optional: String,
    pub button: String,
    pub busy: String,
}

/// What is wrong with a form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Errors {
    pub title: String,
    pub contact_missing: String,
    pub contact_form: String,
    pub missing: String,
    pub long: String,
}

/// Confirmed, and under way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Activating {
    pub status: String,
    pub title: String,
    pub text: String,
    pub watching: String,
    pub stopped: String,
    pub look_again: String,
}

/// Confirmed, and with the publisher.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preparing {
    pub status: String,
    pub title: String,
    pub text: String,
}

/// In force.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Active {
    pub status: String,
    pub title: String,
    pub text: String,
    pub open: String,
    pub manage: String,
    pub elsewhere: String,
    pub reseller: String,
}

/// What may be changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manage {
    pub title: String,
    pub other_plan: String,
    pub change_plan: String,
    pub seats: String,
    pub limits: String,
    pub change_seats: String,
    pub cancel: String,
    pub cancel_text: String,
    pub cancel_button: String,
    pub back: String,
}

/// A change, before it is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub status: String,
    pub title: String,
    pub plan: String,
    pub seats: String,
    pub cancel: String,
    pub text: String,
    pub yes: String,
    pub no: String,
}

/// Payment is due.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suspended {
    pub status: String,
    pub title: String,
    pub text: String,
    pub what_to_do: String,
    pub pay: String,
    pub reseller: String,
    pub safe: String,
}

/// Over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unsubscribed {
    pub status: String,
    pub title: String,
    pub text: String,
    pub data: String,
}

/// A status nobody knows yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unknown {
    pub title: String,
}

/// Pages that say something and no more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Messages {
    pub change_requested: Message,
    pub change_refused: Message,
    pub change_unknown: Message,
    pub not_offered: Message,
    pub no_token: Message,
    pub expired: Message,
    pub unavailable: Message,
    pub refused: Message,
    pub stranger: Message,
    pub sign_in_failed: Message,
    pub declined: Message,
    pub session_over: Message,
    pub not_found: Message,
}

/// Ways on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Links {
    pub sign_in_again: String,
    pub back: String,
    pub try_again: String,
    pub start: String,
}
