//! `saasctl`: the publisher's own API from a terminal, on AWS or on one machine.
//!
//! Tables for people, `--json` for programs. Results go to standard output, everything else to
//! standard error; [`Failure`] says what the exit codes mean.

mod api;
mod arguments;
mod ask;
mod failure;
mod read;
mod sign;
mod table;
mod wait;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use api::Api;
use arguments::{Arguments, Command};
use failure::Failure;
use table::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output { json: arguments.json };
    match run(arguments, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

async fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    if let Command::Completions { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "saasctl", &mut script);
        // Whoever reads may stop whenever they like.
        let _ = std::io::stdout().write_all(&script);
        return Ok(());
    }
    let api = Api::new(&arguments.reach).await?;
    match arguments.command {
        Command::List { status, offer } => {
            read::list(&api, output, status.as_deref(), offer.as_deref()).await
        }
        Command::Show { id } => read::show(&api, output, id).await,
        Command::History { id } => read::history(&api, output, id).await,
        Command::Operations { id, operation } => {
            read::operations(&api, output, id, operation).await
        }
        Command::Plans { id } => read::plans(&api, output, id).await,
        Command::Observe { id } => read::observe(&api, output, id).await,
        Command::ChangePlan { id, plan, asked } => {
            ask::change_plan(&api, output, id, &plan, &asked).await
        }
        Command::ChangeSeats { id, seats, asked } => {
            ask::change_seats(&api, output, id, seats, &asked).await
        }
        Command::Cancel { id, yes, asked } => ask::cancel(&api, output, id, yes, &asked).await,
        Command::Activate { id, follow } => ask::activate(&api, output, id, &follow).await,
        Command::Redeliver { id, from } => ask::redeliver(&api, output, id, from).await,
        Command::Completions { .. } => Ok(()),
    }
}
