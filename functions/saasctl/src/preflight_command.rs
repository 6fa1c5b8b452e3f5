//! `saasctl preflight`: reads the files, and prints what is wrong.

use std::path::Path;

use saasctl::preflight::{parameters, problems};
use saasctl::template::Template;
use serde_json::json;

use crate::command_error::CommandError;
use crate::output::Output;

pub(crate) fn preflight(
    output: &Output,
    parameters_file: &Path,
    template_file: &Path,
) -> Result<(), CommandError> {
    let template = Template::parse(&read(template_file)?);
    let template = template.map_err(|error| unusable(template_file, error))?;
    let parameters = parameters(&read(parameters_file)?);
    let parameters = parameters.map_err(|error| unusable(parameters_file, error))?;
    let problems = problems(&template, &parameters);
    if !problems.is_empty() {
        return Err(CommandError::NotDeployable(problems));
    }
    if output.json {
        return output.print(&json!({ "problems": [] }).to_string());
    }
    output.print("These parameters can be deployed.")
}

fn read(file: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(file).map_err(|error| unusable(file, error))
}

fn unusable(file: &Path, why: impl ToString) -> CommandError {
    CommandError::NotDeployable(vec![format!("{}: {}", file.display(), why.to_string())])
}
