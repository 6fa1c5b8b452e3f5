use std::future::{pending, ready};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::*;
use crate::store::StoreError;

/// What the table does with a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Writes,
    Fails,
    NeverAnswers,
}

struct Notes {
    table: Table,
    asked: Mutex<Vec<(Sighting, Timestamp)>>,
}

#[async_trait]
impl Sightings for Notes {
    async fn note(&self, sighting: &Sighting, at: Timestamp) -> Result<(), StoreError> {
        self.asked.lock().expect("no test panics here").push((sighting.clone(), at));
        match self.table {
            Table::Writes => Ok(()),
            Table::Fails => Err(StoreError::unavailable("failed on purpose")),
            Table::NeverAnswers => pending().await,
        }
    }

    async fn sightings(&self) -> Result<Vec<(Sighting, Timestamp)>, StoreError> {
        Ok(self.asked.lock().expect("no test panics here").clone())
    }
}

#[derive(Debug, Default)]
struct Minutes(AtomicI64);

#[async_trait]
impl Clock for Minutes {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, _: Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::nil()
    }
}

struct Env {
    notes: Arc<Notes>,
    clock: Arc<Minutes>,
    noting: Noting,
}

fn env(table: Table) -> Env {
    let notes = Arc::new(Notes { table, asked: Mutex::default() });
    let clock = Arc::new(Minutes::default());
    let noting = Noting::new(notes.clone(), clock.clone(), SignedDuration::from_mins(60));
    Env { notes, clock, noting }
}

impl Env {
    /// The minutes at which the table was asked to write.
    fn asked(&self) -> Vec<i64> {
        let asked = self.notes.asked.lock().expect("no test panics here");
        asked.iter().map(|(_, at)| at.as_second() / 60).collect()
    }
}

fn webhook(host: &str) -> Sighting {
    Sighting::Webhook { host: host.to_owned() }
}

#[tokio::test]
async fn each_host_is_noted_at_most_once_an_hour() {
    let env = env(Table::Writes);
    for minute in [0, 1, 59, 60, 61, 119, 120] {
        env.clock.0.store(minute, Ordering::SeqCst);
        env.noting.note(&webhook("a.example")).await;
        assert_eq!(env.noting.beside(&webhook("b.example"), pin!(ready(minute))).await, minute);
    }
    assert_eq!(env.asked(), [0, 60, 120], "a work that is done at once leaves no time for a note");
    let work = async { tokio::task::yield_now().await };
    env.noting.beside(&webhook("b.example"), pin!(work)).await;
    assert_eq!(env.asked(), [0, 60, 120, 120], "and the note is due again");
}

#[tokio::test]
async fn a_note_that_fails_is_not_repeated_before_its_time() {
    let env = env(Table::Fails);
    for minute in [0, 1, 59, 60] {
        env.clock.0.store(minute, Ordering::SeqCst);
        let work = async {
            tokio::task::yield_now().await;
            minute
        };
        assert_eq!(env.noting.beside(&Sighting::Sweep, pin!(work)).await, minute);
    }
    assert_eq!(env.asked(), [0, 60]);
}

#[tokio::test]
async fn work_never_waits_for_its_note() {
    let env = env(Table::NeverAnswers);
    for minute in [0, 1] {
        env.clock.0.store(minute, Ordering::SeqCst);
        let work = async {
            tokio::task::yield_now().await;
            minute
        };
        assert_eq!(env.noting.beside(&webhook("a.example"), pin!(work)).await, minute);
    }
    assert_eq!(env.asked(), [0, 1], "a note that was given up is tried again");
}

#[tokio::test]
async fn made_up_hosts_take_no_memory() {
    let env = env(Table::Writes);
    for number in 0..100 {
        env.noting.note(&webhook(&format!("{number}.example"))).await;
    }
    assert!(env.noting.tried().len() <= MOST);
}
