//! The pages, and what they show of a purchase.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::domain::{CustomerOperation, Record, Status};
use shared::fulfillment::PurchaseToken;
use shared::http::{Problem, Response, html};
use tracing::error;

/// The one style sheet, part of every page: a page is one request, and loads nothing else.
pub const STYLE: &str = include_str!("../templates/style.css");

/// What a buyer sees.
pub enum Page<'a> {
    /// A new purchase: what was bought, and the button.
    Pending(&'a Record, &'a PurchaseToken),
    /// Confirmed, and not active yet.
    Activating(&'a Record),
    /// Active, suspended, ended, or a status nobody knows yet.
    Existing(&'a Record),
    /// No token in the address (F-LP-4).
    NoToken,
    /// A token that Microsoft doesn't take, or no longer (F-RES-9).
    Expired,
    /// Microsoft, the table or the activation; later it may work.
    Unavailable,
    /// Microsoft refuses the activation.
    Refused,
}

#[derive(Template)]
#[template(path = "pending.html")]
struct Pending<'a> {
    unsafe_sign_in: bool,
    purchase: Purchase,
    token: &'a str,
}

#[derive(Template)]
#[template(path = "activating.html")]
struct Activating {
    unsafe_sign_in: bool,
    purchase: Purchase,
}

#[derive(Template)]
#[template(path = "active.html")]
struct Active {
    unsafe_sign_in: bool,
    purchase: Purchase,
    customer_may_change: bool,
}

#[derive(Template)]
#[template(path = "suspended.html")]
struct Suspended {
    unsafe_sign_in: bool,
    purchase: Purchase,
}

#[derive(Template)]
#[template(path = "unsubscribed.html")]
struct Unsubscribed {
    unsafe_sign_in: bool,
    purchase: Purchase,
}

#[derive(Template)]
#[template(path = "unknown.html")]
struct Unknown<'a> {
    unsafe_sign_in: bool,
    purchase: Purchase,
    status: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    unsafe_sign_in: bool,
    title: &'static str,
    paragraphs: &'static [&'static str],
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
    pub fn show(&self, page: &Page<'_>) -> Response {
        let (status, rendered) = self.render(page);
        let mut response = match rendered {
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
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    fn render(&self, page: &Page<'_>) -> (StatusCode, askama::Result<String>) {
        let unsafe_sign_in = self.unsafe_sign_in;
        let message = |status, title, paragraphs| {
            (status, Message { unsafe_sign_in, title, paragraphs }.render())
        };
        match page {
            Page::Pending(record, token) => {
                let purchase = Purchase::from(*record);
                (
                    StatusCode::OK,
                    Pending { unsafe_sign_in, purchase, token: token.expose() }.render(),
                )
            }
            Page::Activating(record) => (
                StatusCode::OK,
                Activating { unsafe_sign_in, purchase: Purchase::from(*record) }.render(),
            ),
            Page::Existing(record) => (StatusCode::OK, self.existing(record)),
            Page::NoToken => message(
                StatusCode::OK,
                "Welcome",
                &[
                    "This page sets up a subscription bought in Microsoft AppSource or the Azure Marketplace.",
                    "To get here with your purchase, open the subscription in the Azure portal or the Microsoft 365 \
                     admin center and choose Configure account or Manage account.",
                ],
            ),
            Page::Expired => message(
                StatusCode::BAD_REQUEST,
                "We could not identify your purchase",
                &[
                    "The link that brought you here is no longer valid, or is incomplete.",
                    "Please open the subscription in the Azure portal or the Microsoft 365 admin center again and \
                     choose Configure account or Manage account. Your purchase is safe.",
                ],
            ),
            Page::Unavailable => message(
                StatusCode::SERVICE_UNAVAILABLE,
                "We can't reach Microsoft at the moment",
                &[
                    "Please reload this page in a minute. Your purchase is safe, and nothing was charged twice.",
                ],
            ),
            Page::Refused => message(
                StatusCode::CONFLICT,
                "Microsoft did not accept the activation",
                &["Please get in touch with the support of the product. Your purchase is safe."],
            ),
        }
    }

    fn existing(&self, record: &Record) -> askama::Result<String> {
        let unsafe_sign_in = self.unsafe_sign_in;
        let purchase = Purchase::from(record);
        match record.status() {
            Status::Subscribed => {
                let customer_may_change = record.subscription.allows(&CustomerOperation::Update);
                Active { unsafe_sign_in, purchase, customer_may_change }.render()
            }
            Status::Suspended => Suspended { unsafe_sign_in, purchase }.render(),
            Status::Unsubscribed => Unsubscribed { unsafe_sign_in, purchase }.render(),
            Status::PendingFulfillmentStart | Status::Other(_) => {
                Unknown { unsafe_sign_in, purchase, status: record.status().as_str() }.render()
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
