//! `saasctl`: the publisher's own API from a terminal, on AWS or on one machine.
//!
//! It prints tables for people, and JSON for programs with `--json`. Results go to standard output,
//! everything else to standard error. [`CommandError`] defines the exit codes.

mod act;
mod annotate;
mod api;
mod arguments;
mod attempts;
mod command_error;
mod connection;
mod deliveries;
mod differences;
mod doctor;
mod erase;
mod export;
mod find;
mod history;
mod import_references;
mod kind_of_event;
mod list;
mod list_options;
mod note;
mod offers;
mod offers_options;
mod options;
mod output;
mod patience;
mod preflight_command;
mod printable;
mod read;
mod receiver_options;
mod receivers;
mod reconciliation;
mod reconciliation_options;
mod record;
mod reference_file;
mod restore_command;
mod sign;
mod table;
mod tail;
mod test_event;
mod value;
mod verify_signature;
mod wait;
mod whoami;
mod wrapped;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use api::Api;
use arguments::{Arguments, Command};
use command_error::{CommandError, WRONG_USAGE};
use connection::Connection;
use find::Named;
use list::Wanted;
use output::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) if usage.use_stderr() => {
            Output { json: false }.note(usage.render().to_string().trim_end());
            return ExitCode::from(WRONG_USAGE);
        }
        // A help text or the version.
        Err(asked) => asked.exit(),
    };
    let output = Output { json: arguments.json };
    match run(arguments, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

async fn run(arguments: Arguments, output: &Output) -> Result<(), CommandError> {
    if let Command::Completions { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "saasctl", &mut script);
        // An error means that the reader has closed the pipe.
        let _ = std::io::stdout().write_all(&script);
        return Ok(());
    }
    if let Command::Preflight { parameters, template } = &arguments.command {
        return preflight_command::preflight(output, parameters, template);
    }
    if let Command::VerifySignature(received) = &arguments.command {
        return verify_signature::verify(output, received);
    }
    let connection = Connection::of(&arguments.connection)?;
    if let Command::Restore { table, erasures_from, yes } = &arguments.command {
        let former = erasures_from.as_deref();
        return restore_command::restore_table(output, &connection, table, former, *yes).await;
    }
    let api = Api::new(&connection).await?;
    let find = async |named: Named| named.find(&api, output).await;
    match arguments.command {
        Command::List { filter, sort: order, delivery, format } => {
            let wanted = Wanted { search: None, filter: &filter, order, delivery, format };
            list::list(&api, output, &wanted).await
        }
        Command::Search { text, filter, format } => {
            find::searchable(&text)?;
            let (search, filter) = (Some(&*text), &filter);
            let wanted = Wanted { search, filter, order: None, delivery: None, format };
            list::list(&api, output, &wanted).await
        }
        Command::Show { id } => read::show(&api, output, find(id).await?).await,
        Command::History { id } => history::history(&api, output, find(id).await?).await,
        Command::Tail(options) => tail::tail(&api, output, &options).await,
        Command::Operations { id, operation } => {
            read::operations(&api, output, find(id).await?, operation.as_ref()).await
        }
        Command::Plans { id } => read::plans(&api, output, find(id).await?).await,
        Command::Observe { id } => read::observe(&api, output, find(id).await?).await,
        Command::ChangePlan { id, plan, reason, options } => {
            let id = find(id).await?;
            act::change_plan(&api, output, id, &plan, reason.as_deref(), &options).await
        }
        Command::ChangeSeats { id, seats, reason, options } => {
            let id = find(id).await?;
            act::change_seats(&api, output, id, seats, reason.as_deref(), &options).await
        }
        Command::Cancel { id, yes, options } => {
            let id = if yes { id.exact()? } else { find(id).await? };
            act::cancel(&api, output, id, yes, &options).await
        }
        Command::Activate { id, reason, wait } => {
            act::activate(&api, output, find(id).await?, reason.as_deref(), &wait).await
        }
        Command::Decline { id, reason, yes, options } => {
            let id = if yes { id.exact()? } else { find(id).await? };
            act::decline(&api, output, id, &reason, yes, &options).await
        }
        Command::Deliveries { id } => {
            let id = match id {
                Some(named) => Some(find(named).await?),
                None => None,
            };
            deliveries::deliveries(&api, output, id).await
        }
        Command::Attempts { id, limit } => {
            attempts::attempts(&api, output, find(id).await?, limit).await
        }
        Command::Recover { parked: _, since, receiver } => {
            deliveries::recover(&api, output, since, receiver.as_deref()).await
        }
        Command::Offers(command) => offers::run(&api, output, &command).await,
        Command::Receiver(command) => receivers::run(&api, output, &command).await,
        Command::TestEvent { kind, receiver, timeout } => {
            let (kind, receiver) = (kind.as_deref(), receiver.as_deref());
            let wanted = test_event::Wanted { kind, receiver };
            test_event::test_event(&api, output, wanted, timeout).await
        }
        Command::Whoami => whoami::whoami(&api, output).await,
        Command::Doctor(options) => doctor::doctor(&api, output, &connection, &options).await,
        Command::SetReference { id, reference, remove: _ } => {
            annotate::set_reference(&api, output, find(id).await?, reference.as_deref()).await
        }
        Command::SetMetadata { id, pairs, remove } => {
            annotate::set_metadata(&api, output, find(id).await?, &pairs, &remove).await
        }
        Command::AddNote { id, text, key } => {
            note::add_note(&api, output, find(id).await?, &text, key).await
        }
        Command::ImportReferences { file, dry_run } => {
            import_references::import(&api, output, &file, dry_run).await
        }
        Command::Export { id, options } => {
            let id = match id {
                Some(named) => Some(find(named).await?),
                None => None,
            };
            export::export(api.for_export(), output, id, &options).await
        }
        Command::Redeliver { id, from } => {
            act::redeliver(&api, output, find(id).await?, from).await
        }
        Command::Reconciliation(command) => reconciliation::run(&api, output, &command).await,
        Command::Erase { id, if_version, yes } => {
            let id = if yes { id.exact()? } else { find(id).await? };
            erase::erase(&api, output, id, if_version, yes).await
        }
        Command::Restore { .. }
        | Command::Preflight { .. }
        | Command::VerifySignature(_)
        | Command::Completions { .. } => Ok(()),
    }
}
