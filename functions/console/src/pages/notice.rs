//! Pages without content of their own: what was refused, or can't be shown.

use askama::Template;
use http::StatusCode;
use shared::host::http::Response;

use super::shown;
use crate::api::Refusal;
use crate::frame::{Frame, STYLE};
use crate::routes;

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    frame: Frame<'a>,
    title: &'a str,
    text: &'a str,
    back: &'a str,
    /// The label of the way back.
    to: &'static str,
}

/// What a person reads who is not signed in.
#[derive(Template)]
#[template(path = "outside.html")]
struct OutsidePage<'a> {
    style: &'static str,
    /// What the console is called.
    console: &'a str,
    title: &'a str,
    text: &'a str,
    /// The label of a link that begins a new sign-in, if that can help.
    again: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    SignInFailed,
    SignInUnavailable,
    Misconfigured,
    SignedOut,
    SessionOver,
}

impl Notice {
    pub(crate) fn show(self, console: &str) -> Response {
        let (status, title, text, again) = match self {
            Self::SignInFailed => (
                StatusCode::FORBIDDEN,
                "The sign-in failed",
                "The sign-in was started in another browser, took too long, or used an account outside your \
                 organization.",
                Some("Sign in again"),
            ),
            Self::SignInUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "You can't be signed in right now",
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
                "You've been signed out of the console in this browser.",
                Some("Sign in again"),
            ),
            Self::SessionOver => (
                StatusCode::FORBIDDEN,
                "Your session has expired",
                "Nothing was done. Sign in again, and check the page before you try again.",
                Some("Sign in again"),
            ),
        };
        shown(status, &OutsidePage { style: &STYLE, console, title, text, again })
    }
}

/// A person whom Entra knows, and who has no role of the console's.
pub(crate) fn no_role(user_name: Option<&str>, console: &str) -> Response {
    let account = user_name.map(|name| format!("Your account {name}"));
    let text = format!(
        "{} has no role in this console. Ask an administrator of your directory to assign you Viewer, \
         Operator or Admin in the console's app registration, then sign in again.",
        account.as_deref().unwrap_or("Your account")
    );
    let title = "You have no access to the console";
    let again = Some("Sign in with another account");
    shown(StatusCode::FORBIDDEN, &OutsidePage { style: &STYLE, console, title, text: &text, again })
}

/// What the API refused, in its own words.
pub(crate) fn refused(frame: Frame<'_>, refusal: &Refusal, back: &str) -> Response {
    let title = match refusal.status {
        StatusCode::NOT_FOUND => "Not found".to_owned(),
        StatusCode::PRECONDITION_FAILED => "It has changed since you looked".to_owned(),
        status if status.is_server_error() => "That didn't work".to_owned(),
        _ => "This can't be done".to_owned(),
    };
    let text = match (refusal.code.as_str(), refusal.detail.as_str()) {
        ("unknown_subscription", _) => {
            "This subscription doesn't exist, or the link is wrong.".to_owned()
        }
        (_, "") => "Try again in a moment.".to_owned(),
        (_, detail) => sentence(detail),
    };
    shown(
        refusal.status,
        &NoticePage { frame, title: &title, text: &text, back, to: routes::back_to(back) },
    )
}

/// A page that the console itself refuses.
pub(crate) fn denied(
    frame: Frame<'_>,
    status: StatusCode,
    title: &str,
    text: &str,
    back: &str,
) -> Response {
    shown(status, &NoticePage { frame, title, text, back, to: routes::back_to(back) })
}

/// The API's sentences begin with a small letter, and have no full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let rest = letters.as_str();
    format!("{first}{rest}{}", if text.ends_with('.') { "" } else { "." })
}
