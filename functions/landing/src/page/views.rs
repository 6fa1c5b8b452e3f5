//! The templates, and what each of them is given.

use askama::Template;

use super::Proof;
use super::frame::Frame;
use super::message::Link;
use super::purchase::Purchase;
use super::sign_up::Inputs;
use crate::manage::Offered;

#[derive(Template)]
#[template(path = "pending.html")]
pub struct Pending<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub proof: Proof<'a>,
    pub inputs: Inputs<'a>,
    pub deadline: Option<String>,
}

#[derive(Template)]
#[template(path = "waiting.html")]
pub struct Waiting<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub by_publisher: bool,
}

#[derive(Template)]
#[template(path = "active.html")]
pub struct Active<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub customer_may_change: bool,
    pub may_manage: bool,
}

#[derive(Template)]
#[template(path = "manage.html")]
pub struct Manage<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub offered: &'a Offered,
    pub submit: &'a str,
}

impl Manage<'_> {
    /// The limits of seats, in a sentence.
    fn limits(&self, least: &u64, most: &u64) -> String {
        let number = |number: &u64| self.frame.language.number(*number);
        let says = &self.frame.t().manage.limits;
        crate::language::filled(says, &[("least", &number(least)), ("most", &number(most))])
    }
}

#[derive(Template)]
#[template(path = "change.html")]
pub struct Change<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub sentence: String,
    pub want: &'static str,
    pub field: Option<(&'static str, String)>,
    pub submit: &'a str,
}

#[derive(Template)]
#[template(path = "suspended.html")]
pub struct Suspended<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub customer_may_change: bool,
}

#[derive(Template)]
#[template(path = "unsubscribed.html")]
pub struct Unsubscribed<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
}

#[derive(Template)]
#[template(path = "unknown.html")]
pub struct Unknown<'a> {
    pub frame: Frame<'a>,
    pub purchase: Purchase,
    pub status: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
pub struct Message<'a> {
    pub frame: Frame<'a>,
    pub title: &'a str,
    pub paragraphs: &'a [String],
    pub link: Option<Link<'a>>,
}
