//! The templates and their contents.

use askama::Template;

use super::Proof;
use super::frame::Frame;
use super::purchase::Purchase;
use super::sign_up::Inputs;
use crate::manage::ChangeOptions;

#[derive(Template)]
#[template(path = "pending.html")]
pub(super) struct Pending<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub proof: Proof<'a>,
    pub inputs: Inputs<'a>,
    pub deadline: Option<String>,
}

#[derive(Template)]
#[template(path = "waiting.html")]
pub(super) struct Waiting<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub by_publisher: bool,
}

#[derive(Template)]
#[template(path = "active.html")]
pub(super) struct Active<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub customer_may_change: bool,
    pub may_manage: bool,
}

#[derive(Template)]
#[template(path = "manage.html")]
pub(super) struct Manage<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub options: &'a ChangeOptions,
    pub submit: &'a str,
}

impl Manage<'_> {
    /// The seat limits, as a sentence.
    fn limits(&self, least: &u64, most: &u64) -> String {
        let number = |number: &u64| self.frame.language.number(*number);
        let says = &self.frame.t().manage.limits;
        crate::language::filled(says, &[("least", &number(least)), ("most", &number(most))])
    }
}

#[derive(Template)]
#[template(path = "change.html")]
pub(super) struct Change<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub sentence: String,
    pub want: &'static str,
    pub field: Option<(&'static str, String)>,
    pub submit: &'a str,
}

#[derive(Template)]
#[template(path = "suspended.html")]
pub(super) struct Suspended<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub customer_may_change: bool,
}

#[derive(Template)]
#[template(path = "unsubscribed.html")]
pub(super) struct Unsubscribed<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
}

#[derive(Template)]
#[template(path = "unknown.html")]
pub(super) struct Unknown<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub status: &'a str,
}

/// A link to another page of ours.
pub(super) struct Link<'a> {
    pub to: &'static str,
    pub text: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub frame: Frame<'a>,
    pub title: &'a str,
    pub paragraphs: &'a [String],
    pub link: Option<Link<'a>>,
}
