//! What one run leaves to the next one.

use crate::page::{press, read};
use crate::publisher::{acknowledge, active, answer_webhooks, resolve, world};
use emulator::{Emulator, Purchase, Settings, World};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn next_run(world: &World) -> World {
    World::from_json(Settings { seed: 2, ..Settings::default() }, &world.to_json()).unwrap()
}

#[test]
fn the_next_run_continues_where_the_last_one_ended() {
    let mut last = world();
    let id = active(&mut last, Purchase::per_seat("basic", 10).by_reseller());
    let pending = last.purchase(Purchase::flat_rate("silver"));
    last.advance(DAY);
    let token = last.purchase_token(pending);
    last.suspend(id).unwrap();
    last.reinstate(id).unwrap();
    answer_webhooks(&mut last, Some(200));
    let operation = last.change_quantity(id, 20).unwrap();

    let mut next = next_run(&last);
    assert_eq!(next.now(), last.now());
    assert!(next.subscriptions().eq(last.subscriptions()));
    assert!(next.history(id).eq(last.history(id)));
    assert_eq!(next.operations(id), last.operations(id));
    assert_eq!(next.operation(operation), last.operation(operation));
    assert_eq!(resolve(&mut next, &token).status, 200);
    assert_ne!(next.purchase(Purchase::flat_rate("silver")), pending, "ids don't repeat");

    let bodies = answer_webhooks(&mut next, Some(200));
    assert_eq!(bodies[0]["id"], operation.to_string());
    assert_eq!(acknowledge(&mut next, id, operation, "Success").status, 200);
    assert_eq!(next.subscription(id).quantity, Some(20));
    next.advance(31 * DAY);
    assert_eq!(next.subscription(pending).status, "Unsubscribed", "its deadline was kept");
}

#[test]
fn a_webhook_in_flight_when_a_run_ends_is_sent_again() {
    let mut last = world();
    let id = active(&mut last, Purchase::per_seat("basic", 10));
    last.change_quantity(id, 20).unwrap();
    assert_eq!(last.take_due_deliveries().len(), 1);
    let again = next_run(&last).take_due_deliveries();
    assert_eq!((again.len(), again[0].attempt), (1, 2));
}

#[test]
fn what_was_kept_is_read_whole() {
    let mut last = world();
    active(&mut last, Purchase::per_seat("basic", 10));
    last.advance(DAY);
    let parsed = |world: &World| serde_json::from_str::<Value>(&world.to_json()).unwrap();
    assert_eq!(parsed(&next_run(&last)), parsed(&last));
}

fn kept_in(name: &str) -> Settings {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&file);
    Settings { kept_in: Some(file), ..Settings::default() }
}

#[tokio::test]
async fn each_press_of_a_button_is_kept_at_once() {
    let settings = kept_in("pressed.json");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let last = Emulator::start(settings.clone()).await.unwrap();
    let form = [("plan", "per-seat-1/basic"), ("seats", "12"), ("name", "Kept by Contoso")];
    press(&last, &client, "/act/buy", &form).await;
    // Nothing runs at the end: the last run may have been killed.
    std::mem::forget(last);

    let next = Emulator::start(Settings { seed: 2, ..settings }).await.unwrap();
    assert!(read(&next, &client, "/").await.contains("Kept by Contoso"));
}

#[tokio::test]
async fn a_kept_file_that_cannot_be_read_stops_the_start_and_stays() {
    let settings = kept_in("broken.json");
    let file = settings.kept_in.clone().unwrap();
    for broken in ["", "{}", "{\"version\":2}"] {
        std::fs::write(&file, broken).unwrap();
        let error = Emulator::start(settings.clone()).await.unwrap_err().to_string();
        assert!(error.contains("broken.json"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    }
}
