//! `saasctl doctor`: why doesn't it work?
//!
//! The functions check what belongs to them under their own identity; what must be seen from outside
//! is checked here.

mod check;
mod outside;
mod test_event;

use http::Method;
use serde_json::json;
use shared::host::http_client::HttpClient;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::connection::Connection;
use crate::options::DoctorOptions;
use crate::output::Output;
use crate::printable::printable;
use crate::table::Table;
use check::{Check, Outcome};
use outside::Outside;

pub(crate) async fn doctor(
    api: &Api,
    output: &Output,
    connection: &Connection,
    options: &DoctorOptions,
) -> Result<(), CommandError> {
    output.progress("asking the functions, Microsoft and the network");
    let beside = |path: &str| {
        let mut url = connection.url.clone();
        url.set_path(path);
        url
    };
    let outside = Outside {
        transport: HttpClient::default(),
        landing: options.landing_url.clone().unwrap_or_else(|| beside("/landing")),
        webhook: options.webhook_url.clone().unwrap_or_else(|| beside("/webhook")),
    };
    let arrival =
        async { if options.test_event { Some(test_event::test_event(api).await) } else { None } };
    let (inside, outside, arrival) = tokio::join!(inside(api), outside.checks(), arrival);
    output.progress("");
    report(output, &inside.into_iter().chain(outside).chain(arrival).collect::<Vec<_>>())
}

/// What the functions see. If they can't be asked, that is a failed check, too.
async fn inside(api: &Api) -> Vec<Check> {
    let place = "Option --url: the output ManagementApiUrl";
    match api.call(&ApiCall::at(Method::GET, "/doctor".to_owned())).await {
        Ok(answer) => match serde_json::from_value(answer.body["checks"].clone()) {
            Ok(checks) => checks,
            Err(_) => vec![Check::failed("api", "The answer is not a doctor's.", place)],
        },
        Err(failure) => {
            let hint = failure.hint().map(|hint| format!(" Hint: {hint}."));
            let says = format!("Could not ask the API: {failure}.{}", hint.unwrap_or_default());
            vec![Check::failed("api", says, place)]
        }
    }
}

fn report(output: &Output, checks: &[Check]) -> Result<(), CommandError> {
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    let failed = count(Outcome::Failed);
    if output.json {
        output.print(&json!({ "checks": checks }).to_string())?;
    } else {
        let mut table = Table::of(&[]);
        for check in checks {
            let place = check.place.iter().map(|place| format!("\nWhere: {place}"));
            let text = [check.says.clone()].into_iter().chain(place).collect::<String>();
            // A line break of ours is kept.
            let text = text.lines().map(printable).collect::<Vec<_>>().join("\n");
            table.row([check.outcome.word().to_owned(), printable(&check.check), text]);
        }
        output.print(&table.or_if_empty(""))?;
        output.print(&format!(
            "\n{} checks: ok {}, warning {}, failed {failed}, unknown {}.",
            checks.len(),
            count(Outcome::Ok),
            count(Outcome::Warning),
            count(Outcome::Unknown),
        ))?;
    }
    if failed == 0 { Ok(()) } else { Err(CommandError::Unhealthy(failed)) }
}
