//! Support's questions in `functions/management/SUPPORT.md`: one command answers each, within 80 columns, and the
//! document shows what the command prints.
//!
//! `WRITE_SUPPORT=1` writes the document's outputs anew.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use emulator::{Person, Purchase, World};
use local::Options;
use local::test_env::TestEnv;
use uuid::Uuid;

use crate::export::Folder;
use crate::test_env::{Saasctl as _, command, run};

const COLUMNS: usize = 80;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../management/SUPPORT.md");

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9/events";
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const RULES: &str = r#"{ "per-seat-1": { "plans": { "basic": { "maxSeats": 50 } } } }"#;

/// The subscriptions of the questions, while the publisher's product is away: a change that was refused, a
/// cancellation by the publisher, a test purchase, and seats that changed without a call.
async fn morning() -> TestEnv {
    let options = Options::default()
        .with("DELIVERY_ENDPOINT", NOWHERE)
        .with("DELIVERY_SIGNING_KEY", KEY)
        .with("CHANGE_RULES", RULES);
    let env = TestEnv::with(options).await;
    let bought = |name: &str, email: &str| {
        let tenant_id = Uuid::new_v4();
        let person = Person { email: email.to_owned(), tenant_id, ..Person::adele() };
        Purchase::per_seat("basic", 10).named(name).by(person)
    };
    let contoso = env.active(bought("Contoso Cloud", "adele@contoso.example")).await;
    env.advance(Duration::from_secs(3600));
    env.world(|world| world.change_quantity(contoso, 60)).expect("a change");
    env.deliver_statuses().await;
    let fabrikam = env.active(bought("Fabrikam", "it@fabrikam.example")).await;
    env.run(&["cancel", &fabrikam.to_string(), "--yes"]).await.done();
    env.advance(Duration::from_secs(60));
    env.deliver_statuses().await;
    env.advance(Duration::from_secs(86_400));
    env.active(bought("Try-out", "tester@publisher.example").test()).await;
    env.advance(Duration::from_secs(86_400));
    let northwind = env.active(bought("Northwind Traders", "ops@northwind.example")).await;
    env.system.deliver_events().await.expect("the stream is read");
    env.advance(Duration::from_secs(3 * 3600));
    env.system.sweep().await.expect("a sweep");
    env.world(|world| world.change_quantity(northwind, 12)).expect("a change");
    env.world(World::lose_deliveries);
    env.advance(Duration::from_secs(60));
    env.world(|world| world.change_quantity(contoso, 20)).expect("a change");
    env
}

#[tokio::test]
async fn each_question_of_support_has_a_command_whose_output_is_in_the_document() {
    let (env, folder) = (morning().await, Folder::new());
    let written = std::fs::read_to_string(DOCUMENT).expect("the document");
    let mut stable = Stable::default();
    let (mut renewed, mut questions) = (String::new(), 0);
    let mut lines = written.lines();
    while let Some(line) = lines.next() {
        renewed += &format!("{line}\n");
        let Some(typed) = line.strip_prefix("$ saasctl ") else { continue };
        questions += 1;
        let printed = stable.text(&at_80_columns(&env, &folder, typed).await);
        for line in printed.lines() {
            assert!(line.chars().count() <= COLUMNS, "{typed}: {line}");
        }
        renewed += &printed;
        // The former output.
        let end = lines.by_ref().find(|line| *line == "```").expect("a block ends");
        renewed += &format!("{end}\n");
    }
    assert!(questions >= 10, "{questions}");
    let exported = std::fs::read_to_string(folder.file("data.jsonl")).expect("the export");
    assert!(exported.contains("adele@contoso.example"), "{exported}");
    if std::env::var_os("WRITE_SUPPORT").is_some() {
        std::fs::write(Path::new(DOCUMENT), renewed).expect("the document is written");
    } else {
        assert_eq!(written, renewed, "WRITE_SUPPORT=1 writes it anew");
    }
}

/// What a terminal shows.
async fn at_80_columns(env: &TestEnv, folder: &Folder, typed: &str) -> String {
    let quoted = typed.split('"').enumerate().map(|(place, part)| (place % 2 == 1, part));
    let mut arguments = Vec::new();
    for (is_quoted, part) in quoted {
        match is_quoted {
            true => arguments.push(part),
            false => arguments.extend(part.split_whitespace()),
        }
    }
    if typed == "drift --dry-run" {
        // The test doesn't wait as long as a person.
        arguments.extend(["--poll", "0.01"]);
    }
    let mut command = command(env.system.url(), &arguments);
    command.env("COLUMNS", COLUMNS.to_string()).current_dir(folder.path());
    let ran = run(&mut command, "").await;
    assert_eq!(ran.code, 0, "{typed}: {ran:?}");
    ran.stderr + &ran.stdout
}

/// Replaces what differs from run to run.
#[derive(Default)]
struct Stable {
    ids: HashMap<String, String>,
}

impl Stable {
    fn text(&mut self, text: &str) -> String {
        let pattern = |pattern| regex::Regex::new(pattern).expect("a pattern");
        let id = pattern("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
        let with_ids = id.replace_all(text, |found: &regex::Captures<'_>| self.id(&found[0]));
        let others = [
            ("next [0-9: -]{19}", "next 2026-03-06 16:00:00"),
            ("[0-9]+ ms", "1 ms"),
            (r"\[ *[0-9]+ s\]", "[  0 s]"),
            ("dry-run-[0-9A-Za-z_-]+", "dry-run-24-rpq8Sr7ppi6VCJs"),
        ];
        others.iter().fold(with_ids.into_owned(), |text, (found, replacement)| {
            pattern(found).replace_all(&text, *replacement).into_owned()
        })
    }

    fn id(&mut self, found: &str) -> String {
        let number = self.ids.len() + 1;
        let made = || format!("{number:08x}-0000-4000-8000-{number:012x}");
        self.ids.entry(found.to_owned()).or_insert_with(made).clone()
    }
}
