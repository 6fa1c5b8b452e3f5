//! What an act will do, shown before it is done, with the form that does it.

use askama::Template;
use http::StatusCode;
use shared::host::http::Response;

use super::shown;
use crate::act::Act;
use crate::frame::Frame;

/// A question of the form.
pub(crate) enum Input {
    Text {
        name: &'static str,
        label: &'static str,
        hint: &'static str,
        most: usize,
        value: String,
        required: bool,
    },
    Number {
        name: &'static str,
        label: &'static str,
        value: u64,
        least: u64,
        most: u64,
    },
    /// A day and a time of it, in UTC.
    Time {
        name: &'static str,
        label: &'static str,
    },
    Choice {
        name: &'static str,
        label: &'static str,
        options: Vec<(String, String)>,
    },
    /// The form is refused without it.
    Agreed {
        name: &'static str,
        label: &'static str,
    },
    /// The person types this text, so that nothing grave happens by a slip.
    Typed {
        expected: String,
    },
    /// Passed on as it is.
    Hidden {
        name: &'static str,
        value: String,
    },
}

/// A page of an act.
#[derive(Template)]
#[template(path = "act.html")]
pub(crate) struct ActPage<'a> {
    pub(crate) frame: Frame<'a>,
    pub(crate) act: Act,
    /// What it is about.
    pub(crate) subject: String,
    /// Whose it is and what they bought, for an act about a subscription.
    pub(crate) about: String,
    /// What will happen, a sentence each.
    pub(crate) will: Vec<String>,
    pub(crate) inputs: Vec<Input>,
    /// Whether the form only asks what to do, and the next page shows it.
    pub(crate) is_question: bool,
    /// `None` while it can't be done.
    pub(crate) button: Option<String>,
    /// The version of the record that the person sees, for acts about a subscription.
    pub(crate) version: Option<u64>,
    /// The same for each repetition of this form.
    pub(crate) key: String,
    pub(crate) back: String,
}

impl ActPage<'_> {
    pub(crate) fn show(&self) -> Response {
        shown(StatusCode::OK, self)
    }
}
