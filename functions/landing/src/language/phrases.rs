//! The phrases of a language. A test fails if a file lacks a phrase or has another one.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phrases {
    pub(crate) format: Format,
    pub(crate) frame: FramePhrases,
    pub(crate) details: DetailPhrases,
    pub(crate) dates: DatePhrases,
    pub(crate) prices: PricePhrases,
    pub(crate) steps: StepPhrases,
    pub(crate) pending: PendingPhrases,
    pub(crate) errors: ErrorPhrases,
    pub(crate) activating: ActivatingPhrases,
    pub(crate) preparing: PreparingPhrases,
    pub(crate) handover: HandoverPhrases,
    pub(crate) declined: DeclinedPhrases,
    pub(crate) requested: RequestedPhrases,
    pub(crate) active: ActivePhrases,
    pub(crate) unclaimed: UnclaimedPhrases,
    pub(crate) colleague: ColleaguePhrases,
    pub(crate) manage: ManagePhrases,
    pub(crate) change: ChangePhrases,
    pub(crate) suspended: SuspendedPhrases,
    pub(crate) unsubscribed: UnsubscribedPhrases,
    pub(crate) unknown: UnknownPhrases,
    pub(crate) messages: Messages,
    pub(crate) links: LinkPhrases,
    pub(crate) others: OtherPhrases,
}

/// The text of a page that consists of a message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) title: String,
    /// The paragraphs.
    pub(crate) text: Vec<String>,
}

/// How days, numbers and amounts are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Format {
    pub(crate) direction: String,
    /// The language's own name.
    pub(crate) name: String,
    pub(crate) date: String,
    pub(crate) months: Vec<String>,
    pub(crate) thousands: String,
    pub(crate) decimal: String,
    pub(crate) money: String,
    /// By ISO 4217; other currencies are written by their code.
    pub(crate) currencies: BTreeMap<String, String>,
}

/// The frame of every page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FramePhrases {
    pub(crate) setup: String,
    pub(crate) unsafe_sign_in: String,
    pub(crate) signed_in_as: String,
    pub(crate) your_account: String,
    pub(crate) other_account: String,
    pub(crate) sign_out: String,
    pub(crate) help: String,
    pub(crate) support: String,
    pub(crate) privacy: String,
    pub(crate) terms: String,
    pub(crate) imprint: String,
    pub(crate) language: String,
}

/// The details of a purchase.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetailPhrases {
    pub(crate) heading: String,
    pub(crate) subscription: String,
    pub(crate) offer: String,
    pub(crate) plan: String,
    pub(crate) seats: String,
    pub(crate) term: String,
    pub(crate) trial: String,
    pub(crate) free_trial: String,
    pub(crate) beneficiary: String,
    pub(crate) purchaser: String,
    pub(crate) terms: ByTerm,
}

/// A phrase for each kind of billing term.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByTerm {
    pub(crate) month: String,
    pub(crate) months: String,
    pub(crate) year: String,
    pub(crate) years: String,
}

/// One of something, or several.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    pub(crate) one: String,
    pub(crate) many: String,
}

/// What a date is the date of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatePhrases {
    pub(crate) trial_until: String,
    pub(crate) billed_from: String,
    pub(crate) renews_on: String,
    pub(crate) ends_on: String,
    /// Microsoft has not said what comes after it.
    pub(crate) term_until: String,
    pub(crate) suspended_since: String,
    pub(crate) ended_on: String,
    /// Of a purchase that never began.
    pub(crate) cancelled_on: String,
}

/// What happens between a purchase and the first use.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepPhrases {
    pub(crate) heading: String,
    pub(crate) confirm: String,
    /// The same once it is done.
    pub(crate) confirmed: String,
    pub(crate) prepare: String,
    /// The same once it is done.
    pub(crate) prepared: String,
    pub(crate) activate: String,
    pub(crate) start: String,
    pub(crate) start_trial: String,
    /// For those who don't see the marks.
    pub(crate) done: String,
    pub(crate) current: String,
}

/// A change that is not in force yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestedPhrases {
    pub(crate) plan: String,
    pub(crate) seats: Counted,
    pub(crate) cancel: String,
    /// A change that somebody else requested.
    pub(crate) other: String,
    pub(crate) text: String,
    /// Microsoft's answer got lost.
    pub(crate) unknown: String,
}

/// List prices.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PricePhrases {
    pub(crate) list: String,
    pub(crate) total: String,
    pub(crate) after_trial: String,
    pub(crate) total_after_trial: String,
    /// For a subscription.
    pub(crate) flat: ByTerm,
    /// For a seat.
    pub(crate) seat: ByTerm,
    /// What a list price is, and what it is not.
    pub(crate) note: String,
    /// The same for a purchase from a reseller.
    pub(crate) resold: String,
}

/// The form of a new purchase.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PendingPhrases {
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) text: String,
    /// For a purchase from a reseller.
    pub(crate) resold: String,
    pub(crate) trial: String,
    pub(crate) deadline: String,
    pub(crate) your_details: String,
    pub(crate) contact: String,
    pub(crate) contact_hint: String,
    pub(crate) optional: String,
    /// How long the details are kept.
    pub(crate) kept: String,
    pub(crate) button: String,
    pub(crate) busy: String,
}

/// The errors of that form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorPhrases {
    pub(crate) title: String,
    pub(crate) contact_missing: String,
    pub(crate) contact_form: String,
    pub(crate) missing: String,
    pub(crate) long: String,
}

/// The buyer confirmed, and we activate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivatingPhrases {
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) approved: String,
    pub(crate) watching: String,
    pub(crate) stopped: String,
    pub(crate) refresh: String,
}

/// The buyer confirmed, and the publisher activates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreparingPhrases {
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) since: String,
    pub(crate) text: String,
}

/// The publisher's own sign-up page comes next.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandoverPhrases {
    pub(crate) status: String,
    /// The title for a person who comes back from there.
    pub(crate) finish: String,
    pub(crate) title: String,
    /// The button that confirms the purchase and leads there.
    pub(crate) confirm: String,
    pub(crate) text: String,
    /// The same below a form.
    pub(crate) with_entries: String,
    /// What follows once the person has finished there.
    pub(crate) until_then: String,
    /// For a person who comes back from there.
    pub(crate) again: String,
    /// One of the steps between purchase and first use.
    pub(crate) step: String,
    /// Where the settings name neither the offer nor the publisher.
    pub(crate) unnamed: UnnamedHandoverPhrases,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnnamedHandoverPhrases {
    pub(crate) title: String,
    pub(crate) confirm: String,
    pub(crate) text: String,
    pub(crate) with_entries: String,
    pub(crate) again: String,
    pub(crate) step: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivePhrases {
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) open: String,
    /// Where the settings name the offer or the publisher.
    pub(crate) open_named: String,
    pub(crate) manage: String,
    pub(crate) elsewhere: String,
    pub(crate) reseller: String,
}

/// A purchase that the publisher declined.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclinedPhrases {
    pub(crate) status: String,
    pub(crate) title: String,
    /// The heading of the reason.
    pub(crate) why: String,
    pub(crate) being_cancelled: String,
    pub(crate) cancelled: String,
    pub(crate) unbilled: String,
}

/// A subscription that Microsoft activated by itself, without the buyer's details.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnclaimedPhrases {
    pub(crate) billed: String,
    pub(crate) trial: String,
    pub(crate) missing: String,
    pub(crate) button: String,
    /// The details are here.
    pub(crate) sent: String,
}

/// What a colleague of the beneficiary reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColleaguePhrases {
    /// The status of a purchase that waits for its buyer.
    pub(crate) pending: String,
    pub(crate) title: String,
    pub(crate) text: String,
}

/// The changes that the page offers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManagePhrases {
    pub(crate) title: String,
    pub(crate) other_plan: String,
    pub(crate) change_plan: String,
    pub(crate) seats: String,
    pub(crate) limits: String,
    pub(crate) change_seats: String,
    pub(crate) cancel: String,
    pub(crate) cancel_text: String,
    pub(crate) cancel_button: String,
    pub(crate) back: String,
    /// While a change is under way.
    pub(crate) wait: String,
}

/// The confirmation of a change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePhrases {
    pub(crate) status: String,
    pub(crate) plan: Question,
    pub(crate) one_seat: Question,
    pub(crate) seats: Question,
    pub(crate) cancel: Question,
    pub(crate) text: String,
    /// Between a value before and after, for those who don't see the arrow.
    pub(crate) becomes: String,
}

/// A question with its two buttons.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) title: String,
    pub(crate) yes: String,
    pub(crate) no: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuspendedPhrases {
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) what_to_do: String,
    pub(crate) pay: String,
    pub(crate) reseller: String,
    pub(crate) safe: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnsubscribedPhrases {
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) data: String,
}

/// A status that we do not know.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnknownPhrases {
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Messages {
    pub(crate) change_requested: Message,
    pub(crate) change_declined: Message,
    pub(crate) change_refused: Message,
    pub(crate) change_unknown: Message,
    pub(crate) not_offered: Message,
    pub(crate) no_token: Message,
    pub(crate) expired: Message,
    pub(crate) unavailable: Message,
    pub(crate) misconfigured: Message,
    pub(crate) refused: Message,
    pub(crate) stranger: Message,
    pub(crate) guest: Message,
    pub(crate) sign_in_failed: Message,
    pub(crate) declined: Message,
    pub(crate) session_over: Message,
    pub(crate) not_found: Message,
    pub(crate) signed_out: Message,
}

/// The texts of links.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkPhrases {
    pub(crate) sign_in: String,
    pub(crate) organization: String,
    pub(crate) sign_out_at_microsoft: String,
    pub(crate) back: String,
    pub(crate) try_again: String,
    pub(crate) start: String,
    pub(crate) azure: String,
    pub(crate) admin_center: String,
    pub(crate) marketplace: String,
}

/// The other subscriptions of the same person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OtherPhrases {
    pub(crate) heading: String,
    /// How to open one of them.
    pub(crate) text: String,
}
