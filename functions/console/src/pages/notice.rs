//! Pages without content of their own: what was refused, or can't be shown.

use askama::Template;
use http::StatusCode;
use shared::host::http::Response;

use super::shown;
use crate::api::Refusal;
use crate::frame::{Frame, STYLE};

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    frame: Frame<'a>,
    title: &'a str,
    text: &'a str,
    back: &'a str,
}

/// What a person reads who is not signed in.
#[derive(Template)]
#[template(path = "outside.html")]
struct OutsidePage<'a> {
    style: &'static str,
    title: &'a str,
    text: &'a str,
    /// The label of a link that begins a new sign-in, if that can help.
    again: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    NoRole,
    SignInFailed,
    SignInUnavailable,
    Misconfigured,
    SignedOut,
    SessionOver,
}

impl Notice {
    pub(crate) fn show(self) -> Response {
        let (status, title, text, again) = match self {
            Self::NoRole => (
                StatusCode::FORBIDDEN,
                "You have no access to the console",
                "Your account has none of its roles. An administrator of your directory assigns Viewer, \
                 Operator or Admin to you in the console's app registration. Then sign in again.",
                Some("Sign in again"),
            ),
            Self::SignInFailed => (
                StatusCode::FORBIDDEN,
                "The sign-in failed",
                "It was begun in another browser, took too long, or is not of your organization.",
                Some("Sign in again"),
            ),
            Self::SignInUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "You can't be signed in just now",
                "Microsoft Entra did not answer. Try again in a moment.",
                Some("Try again"),
            ),
            Self::Misconfigured => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The console is not set up correctly",
                "Its log says which setting is wrong.",
                None,
            ),
            Self::SignedOut => (
                StatusCode::OK,
                "You are signed out",
                "This browser holds no session of the console any more.",
                Some("Sign in again"),
            ),
            Self::SessionOver => (
                StatusCode::FORBIDDEN,
                "Your session has expired",
                "Nothing was done. Sign in again, and look at the page once more before you repeat it.",
                Some("Sign in again"),
            ),
        };
        shown(status, &OutsidePage { style: &STYLE, title, text, again })
    }
}

/// What the API refused, in its own words.
pub(crate) fn refused(frame: Frame<'_>, refusal: &Refusal, back: &str) -> Response {
    let title = match refusal.status {
        StatusCode::NOT_FOUND => "Not found".to_owned(),
        StatusCode::PRECONDITION_FAILED => "It has changed since you looked".to_owned(),
        status if status.is_server_error() => "That did not work".to_owned(),
        _ => "Refused".to_owned(),
    };
    let text = match refusal.detail.as_str() {
        "" => "Try again in a moment.".to_owned(),
        detail => sentence(detail),
    };
    shown(refusal.status, &NoticePage { frame, title: &title, text: &text, back })
}

/// A page that the console itself refuses.
pub(crate) fn denied(
    frame: Frame<'_>,
    status: StatusCode,
    title: &str,
    text: &str,
    back: &str,
) -> Response {
    shown(status, &NoticePage { frame, title, text, back })
}

/// The API's sentences begin with a small letter, and have no full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let rest = letters.as_str();
    format!("{first}{rest}{}", if text.ends_with('.') { "" } else { "." })
}
