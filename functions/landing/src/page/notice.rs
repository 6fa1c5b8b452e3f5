//! Pages that consist of a message and at most one link.

use askama::Template;
use http::StatusCode;

use super::frame::Frame;
use super::views::{Link, NoticeView};
use crate::language::{Message, Phrases};
use crate::manage::ChangeOutcome;
use crate::routes::{PURCHASE, SIGN_IN, SIGN_IN_AS_GUEST};

pub(crate) enum Notice {
    /// The result of a confirmed change.
    Changed(ChangeOutcome),
    /// The page does not offer the requested change.
    NotOffered,
    /// There is no purchase token in the address (F-LP-4).
    NoToken,
    /// Microsoft does not accept the purchase token (F-RES-9).
    Expired,
    /// The visit failed, and may succeed later.
    Unavailable,
    /// The visit fails until the publisher changes the settings.
    Misconfigured,
    /// Microsoft refuses the activation.
    ActivationRefused,
    /// The visitor is neither the beneficiary nor the purchaser (F-LP-9).
    Stranger {
        /// Whether they may be a guest in the purchase's own directory.
        may_be_guest: bool,
    },
    /// Entra's answer is not trustworthy.
    SignInFailed,
    /// The visitor chose not to sign in.
    Declined,
    /// The form is not from a page of the current session.
    SessionOver,
    NotFound,
    /// The visitor has ended the session here. Entra still has its own.
    SignedOut {
        /// Where the person ends that one.
        at_entra: String,
    },
}

impl Notice {
    pub(super) fn render(&self, frame: Frame<'_>) -> (StatusCode, askama::Result<String>) {
        let (status, Message { title, text }) = self.message(frame.t());
        let link = self.link(&frame);
        let names_portals = matches!(self, Self::NoToken | Self::Expired | Self::SignedOut { .. });
        (status, NoticeView { frame, title, paragraphs: text, link, names_portals }.render())
    }

    fn message<'a>(&self, phrases: &'a Phrases) -> (StatusCode, &'a Message) {
        let messages = &phrases.messages;
        match self {
            Self::Changed(ChangeOutcome::Requested) => (StatusCode::OK, &messages.change_requested),
            Self::Changed(ChangeOutcome::Declined) => {
                (StatusCode::CONFLICT, &messages.change_declined)
            }
            Self::Changed(ChangeOutcome::Refused) => {
                (StatusCode::CONFLICT, &messages.change_refused)
            }
            Self::Changed(ChangeOutcome::Unknown) => {
                (StatusCode::GATEWAY_TIMEOUT, &messages.change_unknown)
            }
            Self::NotOffered => (StatusCode::CONFLICT, &messages.not_offered),
            Self::NoToken => (StatusCode::OK, &messages.no_token),
            Self::Expired => (StatusCode::BAD_REQUEST, &messages.expired),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, &messages.unavailable),
            Self::Misconfigured => (StatusCode::INTERNAL_SERVER_ERROR, &messages.misconfigured),
            Self::ActivationRefused => (StatusCode::CONFLICT, &messages.refused),
            Self::Stranger { may_be_guest: false } => (StatusCode::FORBIDDEN, &messages.stranger),
            Self::Stranger { may_be_guest: true } => (StatusCode::FORBIDDEN, &messages.guest),
            Self::SignInFailed => (StatusCode::BAD_REQUEST, &messages.sign_in_failed),
            Self::Declined => (StatusCode::OK, &messages.declined),
            Self::SessionOver => (StatusCode::FORBIDDEN, &messages.session_over),
            Self::NotFound => (StatusCode::NOT_FOUND, &messages.not_found),
            Self::SignedOut { .. } => (StatusCode::OK, &messages.signed_out),
        }
    }

    fn link<'a>(&'a self, frame: &Frame<'a>) -> Option<Link<'a>> {
        let phrases = frame.t();
        let (to, text): (&str, _) = match self {
            Self::Changed(_) | Self::NotOffered => (PURCHASE, &phrases.links.back),
            Self::Unavailable if frame.sign_in_is_off => return None,
            Self::Unavailable if frame.session.is_some() => (PURCHASE, &phrases.links.try_again),
            Self::Unavailable | Self::SignInFailed => (SIGN_IN, &phrases.links.try_again),
            Self::Declined | Self::SessionOver => (SIGN_IN, &phrases.links.sign_in),
            Self::Stranger { may_be_guest: false } => (SIGN_IN, &phrases.frame.other_account),
            Self::Stranger { may_be_guest: true } => {
                (SIGN_IN_AS_GUEST, &phrases.links.organization)
            }
            Self::NotFound => (PURCHASE, &phrases.links.start),
            Self::SignedOut { at_entra } => (at_entra, &phrases.links.sign_out_at_microsoft),
            Self::Misconfigured | Self::ActivationRefused => match frame.brand.support.as_deref() {
                Some(support) => (support, &phrases.frame.support),
                None if frame.session.is_some() => (PURCHASE, &phrases.links.try_again),
                None => return None,
            },
            Self::NoToken | Self::Expired => return None,
        };
        Some(Link { to, text })
    }
}
