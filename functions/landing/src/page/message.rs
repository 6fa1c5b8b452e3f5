//! Pages that hold a message, and at most one link.

use askama::Template;
use http::StatusCode;

use super::Page;
use super::frame::Frame;
use super::views::{self, Link};
use crate::language::{Message, Phrases};
use crate::manage::ChangeOutcome;
use crate::sign_in::SIGN_IN;

pub(super) fn render(page: &Page<'_>, frame: Frame<'_>) -> (StatusCode, askama::Result<String>) {
    let says = frame.t();
    let (status, message) = message_of(page, says);
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

fn message_of<'a>(page: &Page<'_>, says: &'a Phrases) -> (StatusCode, &'a Message) {
    let messages = &says.messages;
    match page {
        Page::Changed(ChangeOutcome::Requested) => (StatusCode::OK, &messages.change_requested),
        Page::Changed(ChangeOutcome::Refused) => (StatusCode::CONFLICT, &messages.change_refused),
        Page::Changed(ChangeOutcome::Unknown) => {
            (StatusCode::GATEWAY_TIMEOUT, &messages.change_unknown)
        }
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
        // These have templates of their own.
        Page::Pending(..)
        | Page::Waiting(_)
        | Page::Existing(_)
        | Page::Manage(..)
        | Page::Change(..) => (StatusCode::NOT_FOUND, &messages.not_found),
    }
}
