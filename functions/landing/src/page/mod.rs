//! The pages a buyer sees, and the headers that keep what they hold where it is.

mod frame;
mod message;
mod purchase;
mod sign_up;
mod views;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use shared::config::{Branding, Field};
use shared::domain::{ActivationRequest, CustomerOperation, Record, Status};
use shared::flows::request_change::ChangeRequest;
use shared::host::http::{Problem, Response, html};
use tracing::error;

use crate::assets::Assets;
use crate::form::{Entered, Wrong};
use crate::language::Language;
use crate::manage::{ChangeOptions, ChangeOutcome, may_change};
use crate::sign_in::Session;
use frame::{Brand, Frame};
use purchase::Purchase;
use sign_up::Inputs;

/// What a buyer sees.
pub(crate) enum Page<'a> {
    /// A new purchase: what was bought, what is asked for, and the button.
    Pending(&'a Record, Proof<'a>, Filled, Timestamp),
    /// Confirmed, and not active yet.
    Waiting(&'a Record),
    /// Active, suspended, ended, or a status nobody knows yet.
    Existing(&'a Record),
    /// Active, and what may be changed.
    Manage(&'a Record, &'a ChangeOptions, &'a str),
    /// A change, before it is asked for (F-CHP-3).
    Change(&'a Record, &'a ChangeOptions, &'a ChangeRequest, &'a str),
    /// What became of a change.
    Changed(ChangeOutcome),
    /// A change that isn't offered.
    NotOffered,
    /// No token in the address (F-LP-4).
    NoToken,
    /// A token that Microsoft doesn't take, or no longer (F-RES-9).
    Expired,
    /// Microsoft, the table or the activation; later it may work.
    Unavailable,
    /// Microsoft refuses the activation.
    Refused,
    /// Signed in, with nothing to do with the purchase (F-LP-9).
    Stranger,
    /// What came back from Entra was not to be believed.
    SignInFailed,
    /// The visitor did not want to sign in.
    Declined,
    /// A form from a page that is too old, or none of ours.
    SessionOver,
    /// An address of nothing.
    NotFound,
}

/// What a form brings along to be believed.
#[derive(Clone, Copy)]
pub(crate) enum Proof<'a> {
    /// The session's submit token.
    Session(&'a str),
    /// The purchase token itself, where nobody signs in.
    Token(&'a str),
}

impl Proof<'_> {
    fn field(&self) -> &'static str {
        match self {
            Self::Session(_) => "submit",
            Self::Token(_) => "token",
        }
    }

    fn value(&self) -> &str {
        match self {
            Self::Session(value) | Self::Token(value) => value,
        }
    }
}

/// What stands in the form of a new purchase, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Filled {
    /// What stands there.
    pub entered: Entered,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
}

/// Shows pages.
pub(crate) struct Pages {
    brand: Brand,
    unsafe_sign_in: bool,
    policy: HeaderValue,
}

impl Pages {
    /// Pages of a publisher's; they say so if nobody has to sign in.
    pub(crate) fn new(branding: Branding, assets: &Assets, unsafe_sign_in: bool) -> Self {
        let brand = Brand::new(branding, assets);
        let style = ring::digest::digest(&ring::digest::SHA256, brand.style.as_bytes());
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'sha256-{}'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            STANDARD.encode(style)
        );
        let policy = HeaderValue::try_from(policy).expect("base64 is header text");
        Self { brand, unsafe_sign_in, policy }
    }

    /// What the publisher asks buyers for.
    pub(crate) fn asked(&self) -> &[Field] {
        &self.brand.fields
    }

    /// The answer that shows a page to a reader of this language.
    pub(crate) fn show(
        &self,
        page: Page<'_>,
        language: &Language,
        session: Option<&Session>,
    ) -> Response {
        let frame = Frame {
            language,
            brand: &self.brand,
            unsafe_sign_in: self.unsafe_sign_in,
            person: session.map(|session| &session.person),
        };
        let (status, rendered) = render(page, frame);
        let mut response = self.with_security_headers(match rendered {
            Ok(page) => html(status, page),
            Err(error) => {
                error!(%error, "a page can't be rendered");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "the page can't be shown",
                )
                .into()
            }
        });
        let headers = response.headers_mut();
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code));
        headers.insert(VARY, HeaderValue::from_static("accept-language, cookie"));
        response
    }

    /// The same answer, with the headers that keep what it holds where it is.
    pub(crate) fn with_security_headers(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        response
    }
}

fn render(page: Page<'_>, frame: Frame<'_>) -> (StatusCode, askama::Result<String>) {
    let bought = |record: &Record| Purchase::of(record, frame.language);
    let text = match page {
        Page::Pending(record, proof, filled, now) => {
            let status = match filled.wrong.is_empty() {
                true => StatusCode::OK,
                false => StatusCode::BAD_REQUEST,
            };
            let view = views::Pending {
                frame,
                purchase: bought(record),
                proof,
                inputs: Inputs::new(&filled, &frame),
                deadline: purchase::deadline(record, frame.language, now),
            };
            return (status, view.render());
        }
        Page::Waiting(record) => {
            let by_publisher =
                matches!(record.activation, Some(ActivationRequest::AwaitsPublisher { .. }));
            views::Waiting { frame, purchase: bought(record), by_publisher }.render()
        }
        Page::Existing(record) => existing(frame, record),
        Page::Manage(record, options, submit) => {
            views::Manage { frame, purchase: bought(record), options, submit }.render()
        }
        Page::Change(record, options, request, submit) => {
            let (sentence, want, field) = purchase::in_words(request, options, frame.language);
            views::Change { frame, purchase: bought(record), sentence, want, field, submit }
                .render()
        }
        message => return message::render(&message, frame),
    };
    (StatusCode::OK, text)
}

fn existing(frame: Frame<'_>, record: &Record) -> askama::Result<String> {
    let purchase = Purchase::of(record, frame.language);
    let customer_may_change = record.subscription.allows(&CustomerOperation::Update);
    match record.status() {
        Status::Subscribed => {
            let may_manage = may_change(record, &CustomerOperation::Update)
                || may_change(record, &CustomerOperation::Delete);
            views::Active { frame, purchase, customer_may_change, may_manage }.render()
        }
        Status::Suspended => views::Suspended { frame, purchase, customer_may_change }.render(),
        Status::Unsubscribed => views::Unsubscribed { frame, purchase }.render(),
        Status::PendingFulfillmentStart | Status::Other(_) => {
            views::Unknown { frame, purchase, status: record.status().as_str() }.render()
        }
    }
}
