//! `saasctl export`: all records, events and notes, or those of some subscriptions, as JSON lines or CSV.
//!
//! It keeps a page of records and a few pages of events in memory, however many there are.

mod changed;
mod columns;
mod destination;
pub(crate) mod options;
mod rows;

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use uuid::Uuid;

use self::changed::{Changed, Choice};
use self::destination::{Destination, Stopped};
use self::options::{ExportFormat, ExportOptions, ExportPart};
use self::rows::Rows;
use crate::api::{Api, ApiCall, query};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::patience::Patience;

/// How many subscriptions' events and notes are requested at the same time.
const CONCURRENT: usize = 8;

/// Half a minute in total: an export runs for long, and begins anew if it fails.
const PATIENCE: Patience = Patience { attempts: 6, first_pause: Duration::from_secs(1) };

/// How much was written.
#[derive(Default)]
struct Count {
    subscriptions: u64,
    events: u64,
    notes: u64,
}

struct Export<'a> {
    api: &'a Api,
    output: &'a Output,
    /// Whether a progress line disturbs nothing.
    shows_progress: bool,
    rows: Rows,
    only: Option<ExportPart>,
    destination: Destination,
    count: Count,
}

/// Records as an export writes them as CSV.
pub(crate) fn table_of_records(records: &[Value]) -> String {
    let rows = Rows::of(ExportFormat::Csv, Some(ExportPart::Records));
    let lines = rows.heading().into_iter().chain(records.iter().map(|record| rows.record(record)));
    String::from_utf8_lossy(&lines.collect::<Vec<_>>().concat()).into_owned()
}

pub(crate) async fn export(
    api: Api,
    output: &Output,
    id: Option<Uuid>,
    options: &ExportOptions,
) -> Result<(), CommandError> {
    let destination = Destination::open(options.output.as_deref())?;
    let mut export = Export {
        api: &api,
        output,
        shows_progress: !destination.is_terminal(),
        rows: Rows::of(options.format, options.only),
        only: options.only,
        destination,
        count: Count::default(),
    };
    let ended = export.run(id, options.search.as_deref()).await;
    let Export { destination, count, .. } = export;
    let Count { subscriptions, events, .. } = count;
    output.progress("");
    let failure = match ended.and_then(|()| destination.complete()) {
        Ok(()) | Err(Stopped::ReaderGone) => return report(output, options, &count),
        Err(Stopped::Failed(failure)) => failure,
    };
    let unwritten = match &options.output {
        Some(file) => format!("{} was not written", file.display()),
        None => "the output is not complete".to_owned(),
    };
    output
        .note(&format!("Stopped (subscriptions: {subscriptions}, events: {events}): {unwritten}."));
    Err(failure)
}

/// Says what a file holds. Without a file, standard output holds the export alone.
fn report(
    output: &Output,
    options: &ExportOptions,
    Count { subscriptions, events, notes }: &Count,
) -> Result<(), CommandError> {
    let Some(file) = &options.output else { return Ok(()) };
    if output.json {
        let summary = json!({
            "subscriptions": subscriptions, "events": events, "notes": notes, "file": file,
        });
        return output.print(&summary.to_string());
    }
    let said = match options.only {
        Some(ExportPart::Records) => format!("Subscriptions: {subscriptions}."),
        Some(ExportPart::Events) => format!("Subscriptions: {subscriptions}. Events: {events}."),
        Some(ExportPart::Notes) => format!("Subscriptions: {subscriptions}. Notes: {notes}."),
        None => {
            format!("Subscriptions: {subscriptions}. Events: {events}. Notes: {notes}.")
        }
    };
    output.print(&said)
}

impl Export<'_> {
    async fn run(&mut self, id: Option<Uuid>, search: Option<&str>) -> Result<(), Stopped> {
        if let Some(heading) = self.rows.heading() {
            self.destination.write(&heading)?;
        }
        if let Some(id) = id {
            let record = get(self.api, format!("/{id}"), |_| {}).await?;
            self.write(vec![record]).await?;
            return self.destination.flush();
        }
        if let Some(text) = search {
            return self.pages(&[("search", text)], |_| Choice::Take).await;
        }
        let mut changed = Changed::since(self.newest().await?.as_ref());
        self.pages(&[], |record| {
            changed.note(record);
            Choice::Take
        })
        .await?;
        self.catch_up(changed).await
    }

    /// The record that changed last.
    async fn newest(&self) -> Result<Option<Value>, CommandError> {
        let newest = query(&[("sort", Some("lastChange")), ("limit", Some("1"))]);
        Ok(get(self.api, newest, |_| {}).await?["subscriptions"].get_mut(0).map(Value::take))
    }

    /// Exports again what has changed since the export began. A subscription whose status changes
    /// between two pages can move from one that is still to come to one that was read.
    async fn catch_up(&mut self, mut changed: Changed) -> Result<(), Stopped> {
        for _ in 0..changed::ROUNDS {
            let mut found = false;
            let news = |record: &Value| {
                let choice = changed.note(record);
                found |= matches!(choice, Choice::Take);
                choice
            };
            self.pages(&[("sort", "lastChange")], news).await?;
            if !found {
                break;
            }
        }
        Ok(())
    }

    /// Writes the chosen subscriptions of a list, page by page.
    async fn pages(
        &mut self,
        parameters: &[(&str, &str)],
        mut choose: impl FnMut(&Value) -> Choice,
    ) -> Result<(), Stopped> {
        let mut next = None::<String>;
        loop {
            let given = parameters.iter().map(|(name, value)| (*name, Some(*value)));
            let all: Vec<_> = given.chain([("next", next.as_deref())]).collect();
            let wait = |_: &CommandError| self.progress("; trying again");
            let mut page = get(self.api, query(&all), wait).await?;
            let mut chosen = Vec::new();
            let mut has_ended = false;
            for record in page["subscriptions"].as_array_mut().into_iter().flatten() {
                match choose(record) {
                    Choice::Take => chosen.push(record.take()),
                    Choice::Skip => {}
                    Choice::End => {
                        has_ended = true;
                        break;
                    }
                }
            }
            self.write(chosen).await?;
            self.destination.flush()?;
            next = page["next"].as_str().map(str::to_owned);
            if has_ended || next.is_none() {
                return Ok(());
            }
        }
    }

    /// Writes subscriptions in this order, each with its events and notes. The notes and the first page of events
    /// of several subscriptions are read at the same time.
    async fn write(&mut self, records: Vec<Value>) -> Result<(), Stopped> {
        let (api, only) = (self.api, self.only);
        let has = |part| only.is_none_or(|only| only == part);
        let read = async |record: Value| -> Result<_, CommandError> {
            let of_events = async {
                match has(ExportPart::Events) {
                    true => events(api, &record, "0").await,
                    false => Ok(Value::Null),
                }
            };
            let of_notes = async {
                match has(ExportPart::Notes) {
                    true => notes(api, &record).await,
                    false => Ok(Vec::new()),
                }
            };
            let (events, notes) = tokio::try_join!(of_events, of_notes)?;
            Ok((record, events, notes))
        };
        let mut read = stream::iter(records.into_iter().map(read)).buffered(CONCURRENT);
        while let Some(read) = read.next().await {
            let (record, mut page, notes) = read?;
            if has(ExportPart::Records) {
                self.destination.write(&self.rows.record(&record))?;
            }
            self.count.subscriptions += 1;
            loop {
                for event in page["events"].as_array().into_iter().flatten() {
                    self.destination.write(&self.rows.event(event))?;
                    self.count.events += 1;
                }
                self.progress("");
                match page["next"].as_str() {
                    Some(next) => page = events(api, &record, next).await?,
                    None => break,
                }
            }
            for note in notes {
                self.destination.write(&self.rows.note(&note))?;
                self.count.notes += 1;
            }
        }
        Ok(())
    }

    fn progress(&self, more: &str) {
        if self.shows_progress {
            let Count { subscriptions, events, .. } = self.count;
            let so_far = format!("{subscriptions} subscriptions, {events} events so far{more}");
            self.output.progress(&so_far);
        }
    }
}

fn id_of(record: &Value) -> &str {
    record["subscription"]["id"].as_str().unwrap_or_default()
}

/// A subscription's notes, each with the id of the subscription as its events have it.
async fn notes(api: &Api, record: &Value) -> Result<Vec<Value>, CommandError> {
    let id = id_of(record);
    let mut found = get(api, format!("/{id}/notes"), |_| {}).await?;
    let Value::Array(mut notes) = found["notes"].take() else { return Ok(Vec::new()) };
    notes.iter_mut().for_each(|note| note["subscriptionId"] = json!(id));
    Ok(notes)
}

/// A page of a subscription's events after a version.
async fn events(api: &Api, record: &Value, after: &str) -> Result<Value, CommandError> {
    let id = id_of(record);
    get(api, format!("/{id}/events?after={after}"), |_| {}).await
}

async fn get(
    api: &Api,
    path: String,
    wait: impl FnMut(&CommandError),
) -> Result<Value, CommandError> {
    let call = ApiCall::get(path);
    PATIENCE.repeat(wait, async || api.call(&call).await).await.map(|answer| answer.body)
}
