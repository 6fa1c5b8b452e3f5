//! `saasctl import-references`: sets the references of a file, one request per line.
//!
//! A request that is repeated changes nothing, so run an interrupted import again to continue it.

use std::path::Path;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::output::Output;
use crate::patience::Patience;
use crate::printable::printable;
use crate::reference_file::{Line, read};

/// How often a request is sent in total before the import stops.
const PATIENCE: Patience = Patience { attempts: 4, first_pause: Duration::from_secs(1) };

/// What became of the lines.
#[derive(Default)]
struct Imported<'a> {
    /// Set, or would be.
    set: u64,
    /// In a dry run: would replace another reference.
    replaced: u64,
    /// In a dry run: is the reference already.
    unchanged: u64,
    /// The functions have no record of their subscriptions.
    unknown: Vec<&'a Line>,
}

pub(crate) async fn import(
    api: &Api,
    output: &Output,
    file: &Path,
    dry_run: bool,
) -> Result<(), CommandError> {
    let bytes = std::fs::read(file)
        .map_err(|error| invalid(format!("{} can't be read: {error}", file.display())))?;
    let lines = read(&bytes).map_err(|wrong| invalid(wrong.join("\n  ")))?;
    let mut imported = Imported::default();
    for (done, line) in lines.iter().enumerate() {
        output.progress(&format!("{done} of {} lines", lines.len()));
        let sent = send(api, output, line, dry_run).await;
        match sent {
            Ok(record) => imported.count(line, &record["reference"], dry_run),
            Err(failure) if failure.code() == "unknown_subscription" => imported.unknown.push(line),
            Err(failure) => {
                output.progress("");
                output.note(&format!(
                    "Stopped at line {}: {done} of {} lines are done. Run the same command again to go on.",
                    line.number,
                    lines.len()
                ));
                return Err(failure);
            }
        }
    }
    output.progress("");
    imported.report(output, dry_run)
}

fn invalid(detail: String) -> CommandError {
    CommandError::Refused { code: "invalid_file".to_owned(), detail }
}

/// Sets the reference of a line, or in a dry run reads the subscription. Returns the record.
async fn send(
    api: &Api,
    output: &Output,
    line: &Line,
    dry_run: bool,
) -> Result<Value, CommandError> {
    let path = format!("/{}", line.subscription);
    let call = if dry_run {
        ApiCall::get(path)
    } else {
        ApiCall::new(Method::PATCH, path).body(json!({ "reference": line.reference }))
    };
    let wait = |failure: &CommandError| {
        output.progress(&format!("line {}: {failure}; trying again", line.number));
    };
    let answered = PATIENCE.repeat(wait, async || api.call(&call).await).await;
    answered.map(|answer| answer.body)
}

impl<'a> Imported<'a> {
    fn count(&mut self, line: &'a Line, found: &Value, dry_run: bool) {
        match found.as_str() {
            Some(found) if dry_run && found == line.reference => self.unchanged += 1,
            Some(_) if dry_run => self.replaced += 1,
            Some(_) | None => self.set += 1,
        }
    }

    /// Prints the summary. Unknown subscriptions make it a failure that lists them.
    fn report(&self, output: &Output, dry_run: bool) -> Result<(), CommandError> {
        let Self { set, replaced, unchanged, unknown } = self;
        if output.json {
            let unknown: Vec<_> = unknown
                .iter()
                .map(|line| {
                    json!({
                        "line": line.number, "subscriptionId": line.subscription,
                        "reference": line.reference,
                    })
                })
                .collect();
            let summary = if dry_run {
                json!({ "new": set, "replaced": replaced, "unchanged": unchanged, "unknown": unknown })
            } else {
                json!({ "set": set, "unknown": unknown })
            };
            output.print(&summary.to_string())?;
        } else if dry_run {
            output.print(&format!(
                "New: {set}. Replacing another reference: {replaced}. Unchanged: {unchanged}. \
                 Unknown: {}. Nothing was written.",
                unknown.len()
            ))?;
        } else {
            output.print(&format!("Set: {set}. Unknown: {}.", unknown.len()))?;
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let listed = unknown.iter().map(|line| {
            let reference = printable(&line.reference);
            format!("line {}: {} {reference}", line.number, line.subscription)
        });
        let listed: Vec<_> = listed.collect();
        Err(CommandError::Refused {
            code: "unknown_subscriptions".to_owned(),
            detail: format!(
                "the functions have no record of these subscriptions:\n  {}",
                listed.join("\n  ")
            ),
        })
    }
}
