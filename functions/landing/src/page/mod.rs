//! The pages that a visitor sees.

mod change;
mod dates;
mod form_token;
mod frame;
mod handover;
mod inputs;
mod notice;
mod pages;
pub(crate) mod portals;
mod price;
mod purchase;
mod render;
mod requested;
mod steps;
mod views;

use jiff::Timestamp;
use shared::config::SignUpPage;
use shared::domain::Subscription;
use shared::flows::request_change::ChangeRequest;

use crate::known_plans::KnownPlans;
use crate::manage::ChangeOptions;
use crate::purchase::Opened;
use crate::sign_up_form::SignUpForm;
pub(crate) use form_token::FormToken;
pub(crate) use notice::Notice;
pub(crate) use pages::{Pages, Place};

pub(crate) enum Page<'a> {
    /// A new purchase, with the form to confirm it.
    Pending {
        opened: &'a Opened,
        token: FormToken<'a>,
        form: SignUpForm,
    },
    /// Confirmed, and not active yet.
    Waiting(&'a Opened),
    /// The publisher declined the purchase. Microsoft has cancelled it, or is about to.
    Declined(&'a Opened),
    /// Active, since Microsoft activated it by itself, with the form that no buyer has filled in.
    SignUp {
        opened: &'a Opened,
        token: FormToken<'a>,
        form: SignUpForm,
    },
    /// Active, suspended, ended, or in a status that we do not know.
    Existing(&'a Opened),
    /// What a colleague of the beneficiary sees. They may send no form.
    Colleague {
        subscription: &'a Subscription,
        plans: &'a KnownPlans,
        is_form: bool,
        now: Timestamp,
    },
    /// The changes that the customer may make.
    Manage {
        opened: &'a Opened,
        options: &'a ChangeOptions,
        csrf_token: &'a str,
    },
    /// The chosen change, to be confirmed before Microsoft is asked for it (F-CHP-3).
    Change {
        opened: &'a Opened,
        request: &'a ChangeRequest,
        csrf_token: &'a str,
    },
    /// The way on to the publisher's own sign-up page.
    Handover {
        opened: &'a Opened,
        to: &'a SignUpPage,
        handover: String,
    },
    Notice(Notice),
}

impl<'a> Page<'a> {
    /// The subscription that the page is about; `None` for a notice.
    pub(crate) fn subscription(&self) -> Option<&'a Subscription> {
        match self {
            Self::Pending { opened, .. }
            | Self::SignUp { opened, .. }
            | Self::Waiting(opened)
            | Self::Declined(opened)
            | Self::Existing(opened)
            | Self::Manage { opened, .. }
            | Self::Change { opened, .. }
            | Self::Handover { opened, .. } => Some(&opened.record.subscription),
            Self::Colleague { subscription, .. } => Some(subscription),
            Self::Notice(_) => None,
        }
    }

    /// Another site that a form of this page is sent to.
    fn sends_to(&self) -> Option<&'a SignUpPage> {
        match self {
            Self::Handover { to, .. } => Some(to),
            Self::Pending { .. }
            | Self::SignUp { .. }
            | Self::Waiting(_)
            | Self::Declined(_)
            | Self::Existing(_)
            | Self::Colleague { .. }
            | Self::Manage { .. }
            | Self::Change { .. }
            | Self::Notice(_) => None,
        }
    }
}
