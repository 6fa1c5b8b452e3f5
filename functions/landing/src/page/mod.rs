//! The pages that a visitor sees.

mod form_token;
mod frame;
mod inputs;
mod notice;
mod pages;
mod purchase;
mod render;
mod views;

use jiff::Timestamp;
use shared::domain::{Record, Subscription};
use shared::flows::request_change::ChangeRequest;

use crate::manage::ChangeOptions;
use crate::purchase::Opened;
use crate::sign_up_form::SignUpForm;
pub(crate) use form_token::FormToken;
pub(crate) use notice::Notice;
pub(crate) use pages::Pages;

pub(crate) enum Page<'a> {
    /// A new purchase, with the form to confirm it.
    Pending {
        record: &'a Record,
        token: FormToken<'a>,
        form: SignUpForm,
        now: Timestamp,
    },
    /// Confirmed, and not active yet.
    Waiting(&'a Record),
    /// Active, suspended, ended, or in a status that we do not know.
    Existing(&'a Opened),
    /// What a colleague of the beneficiary sees. They may send no form.
    Colleague {
        subscription: &'a Subscription,
        is_form: bool,
    },
    /// The changes that the customer may make.
    Manage {
        record: &'a Record,
        options: &'a ChangeOptions,
        csrf_token: &'a str,
    },
    /// The chosen change, to be confirmed before Microsoft is asked for it (F-CHP-3).
    Change {
        record: &'a Record,
        options: &'a ChangeOptions,
        request: &'a ChangeRequest,
        csrf_token: &'a str,
    },
    Notice(Notice),
}
