//! The templates, and the values that each one shows.

use askama::Template;

use super::change::{ChangeSummary, PlanChoice};
use super::form_token::FormToken;
use super::frame::Frame;
use super::handover::HandoverWords;
use super::inputs::Inputs;
use super::purchase::PurchaseSummary;
use super::requested::RequestedChange;
use super::steps::Step;
use crate::language::fill;
use crate::manage::ChangeOptions;

#[derive(Template)]
#[template(path = "pending.html")]
pub(super) struct PendingView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    pub(super) token: FormToken<'a>,
    pub(super) inputs: Inputs<'a>,
    pub(super) deadline: Option<String>,
    /// If the publisher's own sign-up page comes next.
    pub(super) words: Option<HandoverWords>,
    pub(super) steps: Vec<Step<'a>>,
}

#[derive(Template)]
#[template(path = "waiting.html")]
pub(super) struct WaitingView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    pub(super) by_publisher: bool,
    /// If the publisher's own sign-up page is where the buyer goes on.
    pub(super) words: Option<HandoverWords>,
    /// A sentence about the confirmation, while the publisher prepares the account.
    pub(super) since: Option<String>,
    /// Whether the publisher has approved the purchase.
    pub(super) is_approved: bool,
    pub(super) steps: Vec<Step<'a>>,
}

#[derive(Template)]
#[template(path = "declined.html")]
pub(super) struct DeclinedView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    /// In the publisher's words; `None` once personal data is erased.
    pub(super) reason: Option<&'a str>,
    pub(super) has_ended: bool,
}

/// The form of a subscription that Microsoft activated by itself.
pub(super) struct SignUpView<'a> {
    pub(super) token: FormToken<'a>,
    pub(super) inputs: Inputs<'a>,
}

#[derive(Template)]
#[template(path = "active.html")]
pub(super) struct ActiveView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    /// If Microsoft activated it by itself, and the publisher's own sign-up page is where the buyer goes on.
    pub(super) words: Option<HandoverWords>,
    /// What no buyer has filled in yet.
    pub(super) sign_up: Option<SignUpView<'a>>,
    /// Whether a buyer of a subscription that Microsoft activated by itself has filled it in.
    pub(super) has_signed_up: bool,
    pub(super) requested: Option<RequestedChange<'a>>,
    pub(super) customer_may_change: bool,
    pub(super) may_manage: bool,
    pub(super) others: Vec<Other<'a>>,
}

#[derive(Template)]
#[template(path = "colleague.html")]
pub(super) struct ColleagueView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    pub(super) status: &'a str,
}

#[derive(Template)]
#[template(path = "manage.html")]
pub(super) struct ManageView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    pub(super) requested: Option<RequestedChange<'a>>,
    /// The plans to choose from.
    pub(super) plans: Vec<PlanChoice<'a>>,
    pub(super) options: &'a ChangeOptions,
    pub(super) csrf_token: &'a str,
}

impl ManageView<'_> {
    /// The seat limits, as a sentence.
    fn limits(&self, least: &u64, most: &u64) -> String {
        let number = |number: &u64| self.frame.language.number(*number);
        let phrase = &self.frame.t().manage.limits;
        fill(phrase, &[("least", &number(least)), ("most", &number(most))])
    }
}

#[derive(Template)]
#[template(path = "change.html")]
pub(super) struct ChangeView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    pub(super) change: ChangeSummary<'a>,
    pub(super) csrf_token: &'a str,
}

#[derive(Template)]
#[template(path = "suspended.html")]
pub(super) struct SuspendedView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    pub(super) customer_may_change: bool,
    pub(super) others: Vec<Other<'a>>,
}

#[derive(Template)]
#[template(path = "unsubscribed.html")]
pub(super) struct UnsubscribedView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    pub(super) others: Vec<Other<'a>>,
}

#[derive(Template)]
#[template(path = "unknown.html")]
pub(super) struct UnknownView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
}

/// Another subscription of the same person.
pub(super) struct Other<'a> {
    pub(super) name: String,
    pub(super) offer: &'a str,
    pub(super) status: &'a str,
}

/// A link to another page of ours, or to Entra.
pub(super) struct Link<'a> {
    pub(super) to: &'a str,
    pub(super) text: &'a str,
}

#[derive(Template)]
#[template(path = "handover.html")]
pub(super) struct HandoverView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) purchase: PurchaseSummary<'a>,
    pub(super) words: HandoverWords,
    /// The publisher's sign-up page.
    pub(super) to: &'a str,
    pub(super) handover: String,
}

#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct NoticeView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) title: &'a str,
    pub(super) paragraphs: &'a [String],
    pub(super) link: Option<Link<'a>>,
    /// Whether the text names Microsoft's portals.
    pub(super) names_portals: bool,
}
