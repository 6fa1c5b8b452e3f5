//! Lists of subscriptions: all, filtered, sorted or found.

use serde_json::{Value, json};
use shared::domain::Status;
use shared::store::{LARGEST_PAGE, Sort};
use unicode_width::UnicodeWidthStr as _;

use crate::api::{Api, query};
use crate::command_error::CommandError;
use crate::export::table_of_records;
use crate::list_options::{ListFilter, ListFormat, ListOrder, OpenDelivery};
use crate::output::Output;
use crate::record::customer;
use crate::table::{Table, seats, shortened, terminal_width, text, when};

const HEADINGS: [&str; 7] =
    ["Subscription", "Name", "Customer", "Offer", "Plan", "Seats", "Status"];

const KNOWN: &str = "PendingFulfillmentStart, Subscribed, Suspended and Unsubscribed";

/// What is listed.
pub(crate) struct Wanted<'a> {
    /// The beginning of what a subscription is found by.
    pub search: Option<&'a str>,
    pub filter: &'a ListFilter,
    pub order: Option<ListOrder>,
    pub delivery: Option<OpenDelivery>,
    /// `None`: a list for people.
    pub format: Option<ListFormat>,
}

/// Lists the matching subscriptions, from as many pages as needed.
pub(crate) async fn list(
    api: &Api,
    output: &Output,
    wanted: &Wanted<'_>,
) -> Result<(), CommandError> {
    let records = read(api, output, wanted).await?;
    if let Some(status) = wanted.filter.status.as_deref().and_then(unknown_status) {
        output.note(&format!("{status} is no status that Microsoft has so far; they are {KNOWN}."));
    }
    match wanted.format {
        Some(ListFormat::Csv) => output.print(table_of_records(&records).trim_end_matches('\n')),
        Some(ListFormat::Json) => print_json(output, &records),
        None if output.json => print_json(output, &records),
        None => output.print(&printed(&records, wanted.order, terminal_width())),
    }
}

fn print_json(output: &Output, records: &[Value]) -> Result<(), CommandError> {
    output.print(&json!({ "subscriptions": records }).to_string())
}

/// The text, if it is none of the statuses that are known (F-LC-1).
fn unknown_status(text: &str) -> Option<&str> {
    matches!(Status::from(text), Status::Other(_)).then_some(text)
}

async fn read(
    api: &Api,
    output: &Output,
    Wanted { search, filter, order, delivery, format: _ }: &Wanted<'_>,
) -> Result<Vec<Value>, CommandError> {
    let sort = order.map(|order| Sort::from(order).name());
    let is_test = match (filter.test, filter.no_test) {
        (false, false) => None,
        (is_test, _) => Some(if is_test { "true" } else { "false" }),
    };
    let most = filter.limit.unwrap_or(usize::MAX);
    let (mut all, mut next) = (Vec::new(), None::<String>);
    loop {
        let left = u8::try_from(most - all.len()).ok().filter(|left| *left < LARGEST_PAGE);
        let limit = left.filter(|_| delivery.is_none()).map(|left| left.to_string());
        let parameters = [
            ("search", *search),
            ("status", filter.status.as_deref()),
            ("offer", filter.offer.as_deref()),
            ("test", is_test),
            ("unclaimed", filter.unclaimed.then_some("true")),
            ("delivery", delivery.map(OpenDelivery::name)),
            ("sort", sort),
            ("limit", limit.as_deref()),
            ("next", next.as_deref()),
        ];
        let mut page = api.get(query(&parameters)).await?;
        if let Value::Array(mut records) = page["subscriptions"].take() {
            all.append(&mut records);
        }
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() || all.len() >= most {
            all.truncate(most);
            break;
        }
        output.progress(&format!("{} subscriptions so far", all.len()));
    }
    output.progress("");
    Ok(all)
}

/// A line for each subscription. Where they don't fit the terminal, each has several short lines, so that
/// no id is broken.
fn printed(records: &[Value], order: Option<ListOrder>, width: Option<usize>) -> String {
    // The last column is what the list is sorted by.
    let is_by_change = order == Some(ListOrder::LastChange);
    let last = if is_by_change { "Last change" } else { "Term end" };
    let mut table = Table::unwrapped(&[&HEADINGS[..], &[last]].concat());
    let rows = records.iter().map(|record| row(record, is_by_change));
    let rows: Vec<_> = rows.inspect(|row| table.row(row.clone())).collect();
    let wide = table.or_if_empty("No subscriptions.");
    match width {
        Some(width) if wide.lines().any(|line| line.width() > width) => {
            let blocks: Vec<_> = rows.iter().map(|row| block(row, last, width)).collect();
            blocks.join("\n")
        }
        _ => wide,
    }
}

fn row(record: &Value, is_by_change: bool) -> [String; 8] {
    let subscription = &record["subscription"];
    [
        text(&subscription["id"]),
        text(&subscription["name"]),
        customer(subscription),
        text(&subscription["offerId"]),
        text(&subscription["planId"]),
        seats(&subscription["quantity"]),
        text(&subscription["saasSubscriptionStatus"]),
        if is_by_change {
            when(&record["updatedAt"], false)
        } else {
            when(&subscription["term"]["endDate"], true)
        },
    ]
}

/// The id with the status, and below it the rest, in lines that fit.
fn block(
    [id, name, customer, offer, plan, seats, status, last]: &[String; 8],
    of_last: &str,
    width: usize,
) -> String {
    const INDENT: &str = "  ";
    let labelled = |label: &str, value: &str| match value {
        "" => String::new(),
        value => format!("{} {value}", label.to_lowercase()),
    };
    let room = width.saturating_sub(INDENT.len());
    let parts = [
        shortened(name, room),
        shortened(customer, room),
        offer.clone(),
        plan.clone(),
        labelled("Seats", seats),
        labelled(of_last, last),
    ];
    let mut block = format!("{id}  {status}");
    let mut line = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let longer = format!("{line}{INDENT}{part}");
        if line.is_empty() || longer.width() <= width {
            line = longer;
        } else {
            block = format!("{block}\n{line}");
            line = format!("{INDENT}{part}");
        }
    }
    format!("{block}\n{line}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";

    fn record(name: &str, status: &str) -> Value {
        json!({
            "updatedAt": "2026-03-10T12:00:00Z",
            "subscription": {
                "id": ID, "name": name, "offerId": "contoso-crm-preview", "planId": "enterprise-plus",
                "quantity": 1200, "saasSubscriptionStatus": status,
                "term": { "endDate": "2027-03-03T00:00:00Z" },
            },
        })
    }

    #[test]
    fn every_line_fits_the_terminal_and_no_id_is_broken() {
        let long =
            "A name that goes on and on, as long as a customer likes it to be, and then some";
        let records = [
            record("Contoso", "PendingFulfillmentStart"),
            record(long, "Subscribed"),
            record(
                "東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京",
                "Subscribed",
            ),
        ];
        for width in [64, 80, 100, 130, 200] {
            for order in [None, Some(ListOrder::LastChange)] {
                let printed = printed(&records, order, Some(width));
                assert!(printed.lines().all(|line| line.width() <= width), "{width}: {printed}");
                for whole in [ID, "contoso-crm-preview", "enterprise-plus"] {
                    assert_eq!(printed.matches(whole).count(), 3, "{width}: {printed}");
                }
                assert!(printed.contains("PendingFulfillmentStart"), "{width}: {printed}");
            }
        }
    }

    #[test]
    fn a_wide_list_is_a_table_and_a_narrow_one_has_blocks() {
        let records = [record("Contoso", "Subscribed")];
        let wide = printed(&records, None, Some(200));
        assert_eq!(printed(&records, None, None), wide, "a pipe has no width");
        assert!(wide.lines().count() == 2 && wide.starts_with(" Subscription"), "{wide}");
        let narrow = "\
6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11  Subscribed
  Contoso  contoso-crm-preview  enterprise-plus  seats 1200  term end 2027-03-03";
        assert_eq!(printed(&records, None, Some(80)), narrow);
        assert_eq!(printed(&[], None, Some(20)), "No subscriptions.");
    }
}
