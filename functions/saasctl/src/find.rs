//! Finds the one subscription that people mean.

use std::convert::Infallible;
use std::str::FromStr;

use serde_json::Value;
use shared::domain::SearchTerm;
use unicode_width::UnicodeWidthStr as _;
use uuid::Uuid;

use crate::api::{Api, query};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::record::customer;
use crate::table::{shortened, terminal_width, text};

/// How many of several subscriptions are named in an error.
const NAMED: usize = 5;

/// A subscription as people name it: by its id, or by the beginning of whatever it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Id(Uuid),
    Text(String),
}

impl FromStr for Named {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Uuid::try_parse(text).map_or_else(|_| Self::Text(text.trim().to_owned()), Self::Id))
    }
}

impl Named {
    /// The id, which must be given as such: where nobody is asked, a beginning that fits another subscription
    /// tomorrow must not choose one.
    pub(crate) fn exact(&self) -> Result<Uuid, CommandError> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::Text(_) => Err(CommandError::IdNeeded),
        }
    }

    /// The id of the one subscription that is meant. Notes which one it is, unless its id was given.
    pub(crate) async fn find(&self, api: &Api, output: &Output) -> Result<Uuid, CommandError> {
        let wanted = match self {
            Self::Id(id) => return Ok(*id),
            Self::Text(wanted) => wanted,
        };
        searchable(wanted)?;
        let found = search(api, wanted).await?;
        let record = match (&found[..], chosen(&found, wanted)) {
            (_, Some(record)) => record,
            ([], None) => {
                return Err(CommandError::NotFound("no subscription is found by this".to_owned()));
            }
            (several, None) => {
                let lines: Vec<_> = several.iter().take(NAMED).map(with_address).collect();
                let more = if several.len() > NAMED { "\n  and others" } else { "" };
                let lines = lines.join("\n  ");
                return Err(CommandError::Ambiguous(format!("several fit:\n  {lines}{more}")));
            }
        };
        let id = text(&record["subscription"]["id"]);
        if !output.json {
            output.note(&heading(record, terminal_width()));
        }
        id.parse().map_err(|_| CommandError::Unavailable("the API names no id".to_owned()))
    }
}

/// Fails unless subscriptions can be found by this text.
pub(crate) fn searchable(text: &str) -> Result<(), CommandError> {
    SearchTerm::of(text).map(|_| ()).ok_or(CommandError::TooShort)
}

/// The one that is meant: it is named in full, by its reference or else its name; or else no other one's id,
/// name or reference begins like this. What is found by an address may be meant only if it is found alone.
fn chosen<'a>(found: &'a [Value], wanted: &str) -> Option<&'a Value> {
    let wanted = wanted.to_lowercase();
    let lower = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let begins = |record: &Value| {
        let subscription = &record["subscription"];
        let named = [&subscription["id"], &subscription["name"], &record["reference"]];
        named.into_iter().any(|value| lower(value).starts_with(&wanted))
    };
    only(found, |record| lower(&record["reference"]) == wanted)
        .or_else(|| only(found, |record| lower(&record["subscription"]["name"]) == wanted))
        .or_else(|| only(found, begins))
        .or_else(|| only(found, |_| true))
}

fn only(found: &[Value], fits: impl Fn(&Value) -> bool) -> Option<&Value> {
    let mut fitting = found.iter().filter(|record| fits(record));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// The line of the one that was found. A long name is shortened, so that it fits the terminal.
fn heading(record: &Value, width: Option<usize>) -> String {
    let line = line(record);
    let name = text(&record["subscription"]["name"]);
    match width {
        Some(width) if line.width() > width => {
            let room = (name.width() + width).saturating_sub(line.width());
            line.replacen(&name, &shortened(&name, room), 1)
        }
        _ => line,
    }
}

/// The line with the customer's address, by which it may have been found.
fn with_address(record: &Value) -> String {
    format!("{}  {}", line(record), customer(&record["subscription"])).trim_end().to_owned()
}

fn line(record: &Value) -> String {
    let subscription = &record["subscription"];
    let parts = [
        &subscription["id"],
        &subscription["name"],
        &record["reference"],
        &subscription["saasSubscriptionStatus"],
    ];
    let parts = parts.map(text);
    let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    parts.join("  ")
}

/// The first page of what is found that is not empty.
async fn search(api: &Api, wanted: &str) -> Result<Vec<Value>, CommandError> {
    let mut next = None::<String>;
    loop {
        let query = query(&[("search", Some(wanted)), ("next", next.as_deref())]);
        let mut page = api.get(query).await?;
        next = page["next"].as_str().map(str::to_owned);
        let found = page["subscriptions"].as_array_mut().map(std::mem::take).unwrap_or_default();
        if !found.is_empty() || next.is_none() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_named_in_full_is_chosen_among_others_that_begin_alike() {
        let record = |reference: &str, name: &str| json!({ "reference": reference, "subscription": { "name": name } });
        let found = [record("C-1", "Contoso"), record("C-10", "Contoso"), record("C-100", "c-10")];
        assert_eq!(chosen(&found, "c-1"), Some(&found[0]));
        assert_eq!(chosen(&found, "C-10"), Some(&found[1]), "a reference comes before a name");
        assert_eq!(chosen(&found, "Contoso"), None, "two have this name");
        assert_eq!(chosen(&found, "C-"), None);
        assert_eq!(chosen(&found, "c-100"), Some(&found[2]));
        assert_eq!(chosen(&found, "anna@"), None, "all are found by an address");
        assert_eq!(chosen(&found[..1], "anna@"), Some(&found[0]));
        assert_eq!(chosen(&[], "anna@"), None);
    }

    #[test]
    fn a_long_name_is_shortened_so_that_the_line_fits_and_the_id_stays_whole() {
        let id = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";
        let subscription =
            json!({ "id": id, "name": "long ".repeat(30), "saasSubscriptionStatus": "Subscribed" });
        let record = json!({ "subscription": subscription });
        let fitting = heading(&record, Some(80));
        assert_eq!(fitting.width(), 80, "{fitting}");
        assert!(fitting.starts_with(id) && fitting.ends_with("…  Subscribed"), "{fitting}");
        assert_eq!(heading(&record, None), line(&record));
    }

    #[test]
    fn what_is_named_comes_before_what_is_found_by_an_address() {
        let named = |name: &str| json!({ "subscription": { "name": name } });
        let found = [named("Fabrikam"), named("Contoso Ltd")];
        assert_eq!(chosen(&found, "contoso"), Some(&found[1]));
    }
}
