//! The subscriptions: found, filtered, page by page, and as CSV.

use askama::Template;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use shared::domain::{SearchTerm, Status};
use shared::host::http::{Response, empty};
use shared::publisher::formula::guarded;
use url::form_urlencoded;

use super::{Pages, denied, shown};
use crate::answers::{Record, Records};
use crate::api::Refusal;
use crate::frame::Frame;
use crate::routes;
use crate::words::{counted, day, moment, name, plan, status, tone};

/// How many are on a page.
const PAGE: &str = "25";

/// The most rows of a file. `saasctl export` has no such limit.
const MOST_ROWS: usize = 2000;

/// How the list is narrowed down, as the API names its parameters.
const PARAMETERS: [&str; 8] =
    ["search", "status", "offer", "test", "unclaimed", "delivery", "sort", "next"];

/// The parameters of a list that are filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListQuery(Vec<(&'static str, String)>);

impl ListQuery {
    pub(crate) fn read(query: &str) -> Self {
        let given = |name: &&'static str| {
            let mut values =
                form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            let value = values.next().map(|(_, value)| value.trim().to_owned());
            value.filter(|value| !value.is_empty()).map(|value| (*name, value))
        };
        Self(PARAMETERS.iter().filter_map(given).collect())
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    fn with(&self, name: &'static str, value: Option<&str>) -> Self {
        let others = self.0.iter().filter(|(key, _)| *key != name).cloned();
        Self(others.chain(value.map(|value| (name, value.to_owned()))).collect())
    }

    fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// The API's own list. What waits for deliveries has an index of its own, whose pages have no limit.
    fn path(&self, limit: &'static str) -> String {
        let whole = match self.get("delivery") {
            "" => self.with("limit", Some(limit)),
            _ => self.clone(),
        };
        format!("/subscriptions?{}", whole.encoded())
    }
}

pub(super) struct Line {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) customer: String,
    /// With the seats.
    pub(super) plan: String,
    pub(super) offer: String,
    pub(super) status: String,
    pub(super) tone: &'static str,
    pub(super) term: String,
    pub(super) changed: String,
}

impl Line {
    pub(super) fn of(record: &Record) -> Self {
        let subscription = &record.subscription;
        let seats = subscription.quantity.map(|seats| format!(", {}", counted(seats, "seat")));
        Self {
            address: routes::subscription(subscription.id),
            name: name(record),
            customer: subscription.beneficiary.email_id.clone().unwrap_or_default(),
            plan: format!("{}{}", plan(record), seats.unwrap_or_default()),
            offer: subscription.offer_id.clone(),
            status: status(&subscription.saas_subscription_status).to_owned(),
            tone: tone(&subscription.saas_subscription_status),
            term: subscription.term.end_date.map_or_else(|| "–".to_owned(), day),
            changed: moment(record.updated_at),
        }
    }
}

#[derive(Template)]
#[template(path = "subscriptions.html")]
struct ListPage<'a> {
    frame: Frame<'a>,
    query: &'a ListQuery,
    lines: Vec<Line>,
    next: Option<String>,
    csv: String,
    is_filtered: bool,
}

/// The choice of a status.
static STATUSES: [Status; 4] =
    [Status::PendingFulfillmentStart, Status::Subscribed, Status::Suspended, Status::Unsubscribed];

impl ListPage<'_> {
    /// The fewest characters of a search.
    fn shortest(&self) -> usize {
        SearchTerm::SHORTEST
    }

    /// What is sent, and what is read.
    fn statuses(&self) -> Vec<(String, &'static str)> {
        let any = (String::new(), "Any status");
        let each = STATUSES.iter().map(|one| (one.to_string(), status(one)));
        [any].into_iter().chain(each).collect()
    }
}

impl Pages<'_> {
    pub(crate) async fn list(self, query: &ListQuery) -> Result<Response, Refusal> {
        let search = query.get("search");
        if !search.is_empty() && SearchTerm::of(search).is_none() {
            return Ok(self.too_short());
        }
        let Records { subscriptions, next } = self.caller.get(&query.path(PAGE)).await?;
        let next = next.map(|next| {
            format!("{}?{}", routes::SUBSCRIPTIONS, query.with("next", Some(&next)).encoded())
        });
        let page = ListPage {
            frame: self.frame,
            query,
            lines: subscriptions.iter().map(Line::of).collect(),
            next,
            csv: format!("{}?{}", routes::CSV, query.with("next", None).encoded()),
            is_filtered: !query.with("next", None).with("sort", None).0.is_empty(),
        };
        Ok(shown(StatusCode::OK, &page))
    }

    fn too_short(self) -> Response {
        let title = format!("Search for at least {} characters", SearchTerm::SHORTEST);
        let text = format!(
            "Type at least {} characters of the name, email address, domain, tenant, ID or reference.",
            SearchTerm::SHORTEST
        );
        denied(self.frame, StatusCode::BAD_REQUEST, &title, &text, routes::SUBSCRIPTIONS)
    }

    /// What the list shows, as a file for a spreadsheet.
    pub(crate) async fn csv(self, query: &ListQuery) -> Result<Response, Refusal> {
        let caller = self.caller.exporting();
        let (mut rows, mut at) = (vec![HEADINGS.map(str::to_owned)], query.clone());
        loop {
            let page: Records = caller.get(&at.path("100")).await?;
            rows.extend(page.subscriptions.iter().map(row));
            match page.next {
                Some(next) if rows.len() <= MOST_ROWS => at = query.with("next", Some(&next)),
                _ => break,
            }
        }
        rows.truncate(MOST_ROWS + 1);
        let mut response = empty(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        let attachment = "attachment; filename=\"subscriptions.csv\"";
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(attachment));
        *response.body_mut() = written(&rows).into();
        Ok(response)
    }
}

const HEADINGS: [&str; 14] = [
    "id",
    "name",
    "reference",
    "offerId",
    "planId",
    "quantity",
    "status",
    "termEnd",
    "autoRenew",
    "beneficiary",
    "purchaser",
    "tenant",
    "isTest",
    "updatedAt",
];

fn row(record: &Record) -> [String; 14] {
    let subscription = &record.subscription;
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        subscription.id.to_string(),
        text(&subscription.name),
        text(&record.reference),
        subscription.offer_id.clone(),
        subscription.plan_id.clone(),
        subscription.quantity.map(|seats| seats.to_string()).unwrap_or_default(),
        subscription.saas_subscription_status.to_string(),
        time(subscription.term.end_date),
        subscription.auto_renew.map(|renews| renews.to_string()).unwrap_or_default(),
        text(&subscription.beneficiary.email_id),
        text(&subscription.purchaser.email_id),
        subscription.beneficiary.tenant_id.map(|tenant| tenant.to_string()).unwrap_or_default(),
        subscription.is_test.to_string(),
        record.updated_at.to_string(),
    ]
}

/// By RFC 4180. Customers choose names, so no cell may become a formula.
fn written<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let cell = |text: &String| format!("\"{}\"", guarded(text).replace('"', "\"\""));
    let line =
        |row: &[String; COLUMNS]| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n";
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_passes_on_what_is_filled_in_and_nothing_else() {
        let query = ListQuery::read("search=+contoso&status=&offer=a%26b&secret=1&next=abc");
        assert_eq!((query.get("search"), query.get("offer")), ("contoso", "a&b"));
        assert_eq!(query.path("25"), "/subscriptions?search=contoso&offer=a%26b&next=abc&limit=25");
        let waiting = ListQuery::read("delivery=waiting");
        assert_eq!(waiting.path("25"), "/subscriptions?delivery=waiting");
    }

    #[test]
    fn a_file_has_no_formula_and_no_cell_that_ends_early() {
        let rows = [["=cmd()".to_owned(), "say \"hi\", all".to_owned()]];
        assert_eq!(written(&rows), "\"'=cmd()\",\"say \"\"hi\"\", all\"\r\n");
    }
}
