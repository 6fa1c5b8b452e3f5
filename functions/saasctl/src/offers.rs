//! What single offers have of their own on the landing page.

use http::Method;
use serde_json::Value;

use crate::api::{Api, ApiCall};
use crate::command_error::CommandError;
use crate::offers_options::OffersCommand;
use crate::output::Output;

const PATH: &str = "/offers";

pub(crate) async fn run(
    api: &Api,
    output: &Output,
    command: &OffersCommand,
) -> Result<(), CommandError> {
    let call = |method| ApiCall::at(method, PATH.to_owned());
    match command {
        OffersCommand::Get => {
            let offers = api.call(&call(Method::GET)).await?.body;
            // The same in both forms: a person edits it and sends it back.
            output.print(&format!("{offers:#}"))
        }
        OffersCommand::Set { file } => {
            let offers = std::fs::read(file)
                .map_err(|error| invalid(format!("{} can't be read: {error}", file.display())))?;
            let offers: Value = serde_json::from_slice(&offers)
                .map_err(|error| invalid(format!("{} is no JSON: {error}", file.display())))?;
            act(api, output, &call(Method::PUT).body(offers)).await
        }
        OffersCommand::Clear => act(api, output, &call(Method::DELETE)).await,
    }
}

async fn act(api: &Api, output: &Output, call: &ApiCall) -> Result<(), CommandError> {
    let offers = api.call(call).await?.body;
    if output.json {
        return output.print(&offers.to_string());
    }
    let said = match offers.as_object().map_or(0, serde_json::Map::len) {
        0 => "No offer has settings of its own in the table.".to_owned(),
        1 => "1 offer has settings of its own.".to_owned(),
        many => format!("{many} offers have settings of their own."),
    };
    output.print(&format!("{said} The landing page reads them within a minute."))
}

fn invalid(detail: String) -> CommandError {
    CommandError::Refused { code: "invalid_file".to_owned(), detail }
}
