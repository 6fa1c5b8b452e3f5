//! Pages that say something and no more.

use askama::Template;
use http::StatusCode;

use super::frame::Frame;
use super::{Page, views};
use crate::language::{Message, Phrases};
use crate::manage::Outcome;
use crate::sign_in::SIGN_IN;

/// A way on from a page.
pub struct Link<'a> {
    /// Where to.
    pub to: &'static str,
    /// What it says.
    pub text: &'a str,
}

pub(super) fn render(page: &Page<'_>, frame: Frame<'_>) -> (StatusCode, askama::Result<String>) {
    let says = frame.t();
    let (status, message) = what(page, says);
    let link = |to, text| Some(Link { to, text });
    let link = match page {
        Page::Changed(_) | Page::NotOffered => link("/landing", &says.links.back),
        Page::Unavailable if frame.unsafe_sign_in => None,
        Page::Unavailable if frame.person.is_some() => link("/landing", &says.links.try_again),
        Page::Unavailable | Page::SignInFailed | Page::Declined | Page::SessionOver => {
            link(SIGN_IN, &says.links.sign_in_again)
        }
        Page::Stranger => link(SIGN_IN, &says.frame.other_account),
        Page::NotFound => link("/landing", &says.links.start),
        Page::NoToken
        | Page::Expired
        | Page::Refused
        | Page::Pending(..)
        | Page::Waiting(_)
        | Page::Existing(_)
        | Page::Manage(..)
        | Page::Change(..) => None,
    };
    (
        status,
        views::Message { frame, title: &message.title, paragraphs: &message.text, link }.render(),
    )
}

fn what<'a>(page: &Page<'_>, says: &'a Phrases) -> (StatusCode, &'a Message) {
    let messages = &says.messages;
    match page {
        Page::Changed(Outcome::Requested) => (StatusCode::OK, &messages.change_requested),
        Page::Changed(Outcome::Refused) => (StatusCode::CONFLICT, &messages.change_refused),
        Page::Changed(Outcome::Unknown) => (StatusCode::GATEWAY_TIMEOUT, &messages.change_unknown),
        Page::NotOffered => (StatusCode::CONFLICT, &messages.not_offered),
        Page::NoToken => (StatusCode::OK, &messages.no_token),
        Page::Expired => (StatusCode::BAD_REQUEST, &messages.expired),
        Page::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, &messages.unavailable),
        Page::Refused => (StatusCode::CONFLICT, &messages.refused),
        Page::Stranger => (StatusCode::FORBIDDEN, &messages.stranger),
        Page::SignInFailed => (StatusCode::BAD_REQUEST, &messages.sign_in_failed),
        Page::Declined => (StatusCode::OK, &messages.declined),
        Page::SessionOver => (StatusCode::FORBIDDEN, &messages.session_over),
        Page::NotFound => (StatusCode::NOT_FOUND, &messages.not_found),
        // Those have pages of their own.
        Page::Pending(..)
        | Page::Waiting(_)
        | Page::Existing(_)
        | Page::Manage(..)
        | Page::Change(..) => (StatusCode::NOT_FOUND, &messages.not_found),
    }
}
