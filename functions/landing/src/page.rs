//! The pages, and what they show of a purchase.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::auth::Person;
use shared::domain::{CustomerOperation, Record, Status};
use shared::http::{Problem, Response, html};
use tracing::error;

use crate::manage::{Offered, Outcome, Wanted, may};
use crate::sign_in::{SIGN_IN, Session};

/// The one style sheet, part of every page: a page is one request, and loads nothing else.
pub const STYLE: &str = include_str!("../templates/style.css");

/// What a buyer sees.
pub enum Page<'a> {
    /// A new purchase: what was bought, and the button.
    Pending(&'a Record, Proof<'a>),
    /// Confirmed, and not active yet.
    Activating(&'a Record),
    /// Active, suspended, ended, or a status nobody knows yet.
    Existing(&'a Record),
    /// Active, and what may be changed.
    Manage(&'a Record, &'a Offered, &'a str),
    /// A change, before it is asked for (F-CHP-3).
    Change(&'a Record, &'a Offered, &'a Wanted, &'a str),
    /// What became of a change.
    Changed(&'a Outcome),
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
}

/// What a form brings along to be believed.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
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

/// What every page has around it.
#[derive(Clone, Copy)]
struct Frame<'a> {
    unsafe_sign_in: bool,
    person: Option<&'a Person>,
}

impl Frame<'_> {
    fn name(&self) -> Option<&str> {
        let person = self.person?;
        Some(person.username.as_deref().or(person.name.as_deref()).unwrap_or("your account"))
    }
}

/// A way on from a page that says something.
struct Link {
    to: &'static str,
    text: &'static str,
}

const SIGN_IN_AGAIN: Link = Link { to: SIGN_IN, text: "Sign in again" };
const OTHER_ACCOUNT: Link = Link { to: SIGN_IN, text: "Use another account" };
const BACK: Link = Link { to: "/landing", text: "Back to your subscription" };
const TRY_AGAIN: Link = Link { to: "/landing", text: "Try again" };

#[derive(Template)]
#[template(path = "pending.html")]
struct Pending<'a> {
    frame: Frame<'a>,
    purchase: Purchase,
    proof: Proof<'a>,
}

#[derive(Template)]
#[template(path = "activating.html")]
struct Activating<'a> {
    frame: Frame<'a>,
    purchase: Purchase,
}

#[derive(Template)]
#[template(path = "active.html")]
struct Active<'a> {
    frame: Frame<'a>,
    purchase: Purchase,
    customer_may_change: bool,
    may_manage: bool,
}

#[derive(Template)]
#[template(path = "manage.html")]
struct Manage<'a> {
    frame: Frame<'a>,
    purchase: Purchase,
    offered: &'a Offered,
    submit: &'a str,
}

#[derive(Template)]
#[template(path = "change.html")]
struct Change<'a> {
    frame: Frame<'a>,
    purchase: Purchase,
    sentence: String,
    want: &'static str,
    field: Option<(&'static str, String)>,
    submit: &'a str,
}

#[derive(Template)]
#[template(path = "suspended.html")]
struct Suspended<'a> {
    frame: Frame<'a>,
    purchase: Purchase,
}

#[derive(Template)]
#[template(path = "unsubscribed.html")]
struct Unsubscribed<'a> {
    frame: Frame<'a>,
    purchase: Purchase,
}

#[derive(Template)]
#[template(path = "unknown.html")]
struct Unknown<'a> {
    frame: Frame<'a>,
    purchase: Purchase,
    status: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    frame: Frame<'a>,
    title: &'static str,
    paragraphs: &'static [&'static str],
    link: Option<Link>,
}

/// A purchase in a buyer's words.
struct Purchase {
    name: String,
    offer: String,
    plan: String,
    seats: Option<u64>,
    term: Option<String>,
    trial: bool,
    until: Option<String>,
    until_label: &'static str,
    beneficiary: Option<String>,
    reseller: Option<String>,
}

impl From<&Record> for Purchase {
    fn from(record: &Record) -> Self {
        let subscription = &record.subscription;
        let purchaser = &subscription.purchaser;
        let bought_by_another = purchaser.tenant_id != subscription.beneficiary.tenant_id;
        Self {
            name: subscription.name.clone().unwrap_or_else(|| subscription.id.to_string()),
            offer: subscription.offer_id.clone(),
            plan: subscription.plan_id.clone(),
            seats: subscription.quantity,
            term: subscription.term.term_unit.as_deref().map(term_in_words),
            trial: subscription.is_free_trial,
            until: subscription.term.end_date.map(day),
            until_label: match (record.status(), subscription.auto_renew) {
                (Status::Subscribed, Some(true) | None) => "Renews after",
                _ => "Valid until",
            },
            beneficiary: subscription.beneficiary.email_id.clone(),
            reseller: purchaser.email_id.clone().filter(|_| bought_by_another),
        }
    }
}

/// A change as a person says it, and as a form does.
fn in_words(
    wanted: &Wanted,
    offered: &Offered,
) -> (String, &'static str, Option<(&'static str, String)>) {
    match wanted {
        Wanted::Plan(plan) => {
            let name =
                offered.plans.iter().find(|(id, _)| id == plan).map_or(plan, |(_, name)| name);
            (format!("Change the plan to {name}."), "plan", Some(("plan", plan.clone())))
        }
        Wanted::Seats(seats) => (
            format!("Change the number of seats to {seats}."),
            "seats",
            Some(("seats", seats.to_string())),
        ),
        Wanted::Cancel => ("Cancel the subscription, for good.".to_owned(), "cancel", None),
    }
}

/// `P1M` is a month; what isn't a plain duration is shown as Microsoft wrote it (F-OBJ-7).
fn term_in_words(unit: &str) -> String {
    let counted = |rest: &str, one: &str, many: &str| {
        let count: u32 = rest.parse().ok()?;
        Some(if count == 1 { format!("1 {one}") } else { format!("{count} {many}") })
    };
    let words = unit.strip_prefix('P').and_then(|rest| {
        if let Some(months) = rest.strip_suffix('M') {
            counted(months, "month", "months")
        } else {
            counted(rest.strip_suffix('Y')?, "year", "years")
        }
    });
    words.unwrap_or_else(|| unit.to_owned())
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// Renders pages with the headers that keep the token where it is.
pub struct Pages {
    unsafe_sign_in: bool,
    policy: HeaderValue,
}

impl Pages {
    /// Pages that say so if nobody has to sign in.
    pub fn new(unsafe_sign_in: bool) -> Self {
        let style = ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes());
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            STANDARD.encode(style)
        );
        let policy = HeaderValue::try_from(policy).expect("base64 is header text");
        Self { unsafe_sign_in, policy }
    }

    /// The answer that shows a page.
    pub fn show(&self, page: &Page<'_>, session: Option<&Session>) -> Response {
        let frame = Frame {
            unsafe_sign_in: self.unsafe_sign_in,
            person: session.map(|session| &session.person),
        };
        let (status, rendered) = self.render(page, frame);
        self.seal(match rendered {
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
        })
    }

    /// The same answer, with the headers that keep what it holds where it is.
    pub fn seal(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        response
    }

    fn render(&self, page: &Page<'_>, frame: Frame<'_>) -> (StatusCode, askama::Result<String>) {
        let is_signed_in = frame.person.is_some();
        let message = |status, title, paragraphs, link| {
            (status, Message { frame, title, paragraphs, link }.render())
        };
        match page {
            Page::Pending(record, proof) => {
                let purchase = Purchase::from(*record);
                (StatusCode::OK, Pending { frame, purchase, proof: *proof }.render())
            }
            Page::Activating(record) => {
                (StatusCode::OK, Activating { frame, purchase: Purchase::from(*record) }.render())
            }
            Page::Existing(record) => (StatusCode::OK, self.existing(frame, record)),
            Page::Manage(record, offered, submit) => {
                let purchase = Purchase::from(*record);
                (StatusCode::OK, Manage { frame, purchase, offered, submit }.render())
            }
            Page::Change(record, offered, wanted, submit) => {
                let purchase = Purchase::from(*record);
                let (sentence, want, field) = in_words(wanted, offered);
                (StatusCode::OK, Change { frame, purchase, sentence, want, field, submit }.render())
            }
            Page::Changed(Outcome::Requested) => message(
                StatusCode::OK,
                "Microsoft has your change",
                &["It takes effect as soon as Microsoft confirms it, mostly within a minute."],
                Some(BACK),
            ),
            Page::Changed(Outcome::Refused) => message(
                StatusCode::CONFLICT,
                "Microsoft did not take the change",
                &["Another change may be under way. Nothing was changed; please try again later."],
                Some(BACK),
            ),
            Page::Changed(Outcome::Unknown) => message(
                StatusCode::GATEWAY_TIMEOUT,
                "We don't know yet whether Microsoft has your change",
                &["Please look at your subscription in a few minutes before you ask again."],
                Some(BACK),
            ),
            Page::NotOffered => message(
                StatusCode::CONFLICT,
                "This can't be changed here",
                &["Nothing was changed. Your subscription shows what you may choose from."],
                Some(BACK),
            ),
            Page::NoToken => message(
                StatusCode::OK,
                "Welcome",
                &[
                    "This page sets up a subscription bought in Microsoft AppSource or the Azure Marketplace.",
                    "To get here with your purchase, open the subscription in the Azure portal or the Microsoft 365 \
                     admin center and choose Configure account or Manage account.",
                ],
                None,
            ),
            Page::Expired => message(
                StatusCode::BAD_REQUEST,
                "We could not identify your purchase",
                &[
                    "The link that brought you here is no longer valid, or is incomplete.",
                    "Please open the subscription in the Azure portal or the Microsoft 365 admin center again and \
                     choose Configure account or Manage account. Your purchase is safe.",
                ],
                None,
            ),
            Page::Unavailable => message(
                StatusCode::SERVICE_UNAVAILABLE,
                "We can't reach Microsoft at the moment",
                &[
                    "Please reload this page in a minute. Your purchase is safe, and nothing was charged twice.",
                ],
                match (frame.unsafe_sign_in, is_signed_in) {
                    (true, _) => None,
                    (false, true) => Some(TRY_AGAIN),
                    (false, false) => Some(SIGN_IN_AGAIN),
                },
            ),
            Page::Refused => message(
                StatusCode::CONFLICT,
                "Microsoft did not accept the activation",
                &["Please get in touch with the support of the product. Your purchase is safe."],
                None,
            ),
            Page::Stranger => message(
                StatusCode::FORBIDDEN,
                "This purchase belongs to another account",
                &[
                    "The account you are signed in with is neither the one this subscription is for nor the one that \
                     bought it, so there is nothing to see here.",
                    "If you have another account, sign in with that one.",
                ],
                Some(OTHER_ACCOUNT),
            ),
            Page::SignInFailed => message(
                StatusCode::BAD_REQUEST,
                "The sign-in could not be completed",
                &[
                    "It may have taken too long, or this browser doesn't keep cookies. Nothing has happened to your \
                     purchase.",
                ],
                Some(SIGN_IN_AGAIN),
            ),
            Page::Declined => message(
                StatusCode::OK,
                "You are not signed in",
                &["To see and set up your purchase, sign in with the account it was made with."],
                Some(SIGN_IN_AGAIN),
            ),
            Page::SessionOver => message(
                StatusCode::FORBIDDEN,
                "This page is too old",
                &["Nothing was changed. Sign in again to go on where you were."],
                Some(SIGN_IN_AGAIN),
            ),
        }
    }

    fn existing(&self, frame: Frame<'_>, record: &Record) -> askama::Result<String> {
        let purchase = Purchase::from(record);
        match record.status() {
            Status::Subscribed => {
                let customer_may_change = record.subscription.allows(&CustomerOperation::Update);
                let may_manage = may(record, &CustomerOperation::Update)
                    || may(record, &CustomerOperation::Delete);
                Active { frame, purchase, customer_may_change, may_manage }.render()
            }
            Status::Suspended => Suspended { frame, purchase }.render(),
            Status::Unsubscribed => Unsubscribed { frame, purchase }.render(),
            Status::PendingFulfillmentStart | Status::Other(_) => {
                Unknown { frame, purchase, status: record.status().as_str() }.render()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_told_in_words_where_it_is_a_plain_duration() {
        for (unit, words) in [
            ("P1M", "1 month"),
            ("P1Y", "1 year"),
            ("P18M", "18 months"),
            ("P3Y", "3 years"),
            ("PAY", "PAY"),
            ("P1Y6M", "P1Y6M"),
            ("", ""),
        ] {
            assert_eq!(term_in_words(unit), words);
        }
    }
}
