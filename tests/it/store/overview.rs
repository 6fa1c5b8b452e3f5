//! The contract of every store about what pages for people read.

use std::collections::BTreeSet;

use shared::domain::{Annotations, Position};
use shared::store::{
    AnnotationStore, Checkpoint, Checkpoints, Cursor, CursorState, Due, Entry, Examination,
    Examinations, FirstStart, Outbox, Overview, Pause, ReceiverState, Receivers, Runs, Target,
    Trouble, Undelivered, Wanted,
};

use super::*;

/// A table with what the pages show.
struct Shown<'a> {
    store: &'a dyn Store,
    outbox: &'a dyn Outbox,
    annotations: &'a dyn AnnotationStore,
    receivers: &'a dyn Receivers,
    checkpoints: &'a dyn Checkpoints,
    runs: &'a dyn Runs,
    examinations: &'a dyn Examinations,
    overview: &'a dyn Overview,
}

impl Shown<'_> {
    async fn commit(&self, change: &NextVersion) {
        self.store.commit(change.record.id(), &unmarked(change)).await.expect("committed");
    }

    async fn save(&self, number: usize, target: Target, state: CursorState) {
        let delivered = Position { version: 1, index: 0 };
        let cursor = Cursor { revision: 1, delivered, state, ..Cursor::default() };
        self.outbox.save_cursor(id(number), target, &cursor).await.expect("saved");
    }

    /// Every page of a list of deliveries, each of so many.
    async fn undelivered(&self, which: Undelivered, limit: u8) -> Vec<Entry> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let page = self.overview.undelivered(which, limit, next.as_deref()).await;
            let page = page.expect("a page");
            assert!(page.items.len() <= usize::from(limit));
            all.extend(page.items);
            next = page.next;
            if next.is_none() {
                return all;
            }
        }
    }
}

fn crm() -> Target {
    "crm".parse().expect("a name")
}

fn minutes(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

fn trouble(since: Timestamp) -> Trouble {
    Trouble { since, attempts: 3, last: "answered 503".to_owned() }
}

fn parked(at: Timestamp) -> CursorState {
    CursorState::Parked { at, trouble: trouble(at) }
}

async fn items_of_every_kind_are_read_together_and_what_is_missing_is_left_out(table: Shown<'_>) {
    let all = [
        Wanted::Record(id(1)),
        Wanted::Record(id(2)),
        Wanted::Annotations(id(1)),
        Wanted::Annotations(id(2)),
        Wanted::Cursor(id(1), crm()),
        Wanted::Cursor(id(1), Target::Endpoint),
        Wanted::Receiver(crm()),
        Wanted::Receiver(Target::EventBus),
        Wanted::Checkpoint,
        Wanted::DryRun,
        Wanted::Pause,
        Wanted::FirstStart,
        Wanted::Examination,
    ];
    let all = BTreeSet::from(all);
    let found = table.overview.look_up(&all).await.expect("a read");
    assert!(found.records.is_empty() && found.annotations.is_empty() && found.cursors.is_empty());
    assert!(found.receivers.is_empty() && found.checkpoint.is_none() && found.dry_run.is_none());
    assert!(found.pause.is_none() && found.first_start.is_none() && found.examination.is_none());

    let one = first(id(1), "Subscribed");
    table.commit(&one).await;
    table.commit(&first(id(3), "Subscribed")).await;
    let noted = Annotations {
        reference: Some("C-4711".to_owned()),
        metadata: Default::default(),
        notes: Vec::new(),
        revision: 1,
        reference_revision: 1,
        changed_at: noon(),
        changed_by: None,
    };
    table.annotations.save_annotations(id(1), &noted).await.expect("saved");
    table.save(1, crm(), parked(noon())).await;
    let state = ReceiverState::added(noon(), None);
    table.receivers.save_receiver(crm(), &state).await.expect("saved");
    let mut checkpoint = Checkpoint { revision: 1, examined: 7, ..Checkpoint::default() };
    table.checkpoints.save_checkpoint(&checkpoint).await.expect("saved");
    let start = FirstStart { started_at: noon(), imported_at: None };
    table.checkpoints.save_first_start(&start).await.expect("saved");
    checkpoint.examined = 8;
    table.runs.save_dry_run(&checkpoint).await.expect("saved");
    let pause = Pause { since: noon(), note: "it moves".to_owned(), by: None };
    table.runs.save_pause(Some(&pause)).await.expect("saved");

    let examination = Examination {
        examined_at: noon(),
        version: "0.2.0".to_owned(),
        host: None,
        checks: Vec::new(),
    };
    table.examinations.save_examination(&examination).await.expect("saved");

    let found = table.overview.look_up(&all).await.expect("a read");
    assert_eq!(found.records.len(), 1);
    assert_eq!(found.records[&id(1)].as_ref().expect("a record"), &one.record);
    assert_eq!(found.annotations.len(), 1);
    assert_eq!(found.annotations[&id(1)].as_ref().expect("annotations"), &noted);
    assert_eq!(found.cursors.len(), 1);
    let cursor = found.cursors[&(id(1), crm())].as_ref().expect("a cursor");
    assert_eq!(cursor.state, parked(noon()));
    assert_eq!(found.receivers.len(), 1);
    assert_eq!(found.receivers[&crm()].as_ref().expect("a state"), &state);
    assert_eq!(found.checkpoint.expect("is there").expect("a checkpoint").examined, 7);
    assert_eq!(found.dry_run.expect("is there").expect("a checkpoint").examined, 8);
    assert_eq!(found.pause.expect("is there").expect("a pause"), pause);
    assert_eq!(found.first_start.expect("is there").expect("a start"), start);
    assert_eq!(found.examination.expect("is there").expect("one"), examination);

    let nothing = table.overview.look_up(&BTreeSet::new()).await.expect("nothing to read");
    assert!(nothing.records.is_empty());
    let few = BTreeSet::from([Wanted::Record(id(3))]);
    let found = table.overview.look_up(&few).await.expect("a read");
    assert!(found.records.contains_key(&id(3)) && found.checkpoint.is_none());
}

async fn more_items_than_one_batch_takes_are_read(table: Shown<'_>) {
    for number in 0..120 {
        table.commit(&first(id(number), "Subscribed")).await;
    }
    let wanted =
        (0..120).flat_map(|number| [Wanted::Record, Wanted::Annotations].map(|of| of(id(number))));
    let found = table.overview.look_up(&wanted.collect()).await.expect("a read");
    assert_eq!((found.records.len(), found.annotations.len()), (120, 0));
}

async fn a_list_of_ids_names_the_subscriptions_of_the_list_of_records(table: Shown<'_>) {
    for number in 0..7 {
        let status = if number % 2 == 0 { "Subscribed" } else { "PendingFulfillmentStart" };
        table.commit(&first(id(number), status)).await;
    }
    let pending = Filter {
        status: Some(shared::domain::Status::PendingFulfillmentStart),
        ..Filter::default()
    };
    for query in [
        ListQuery { limit: 2, ..ListQuery::default().only(pending) },
        ListQuery { limit: 2, ..ListQuery::by(ListBy::Sort(shared::store::Sort::LastChange)) },
    ] {
        let mut next: Option<String> = None;
        loop {
            let ids = table.overview.list_ids(&query, next.as_deref()).await.expect("a page");
            let records = table.store.list(&query, next.as_deref()).await.expect("a page");
            assert_eq!(ids.items, records.items.iter().map(Record::id).collect::<Vec<_>>());
            assert!(ids.items.len() <= 2);
            assert_eq!(ids.next, records.next);
            next = ids.next;
            if next.is_none() {
                break;
            }
        }
    }
    let refused = table.overview.list_ids(&ListQuery::default(), Some("nonsense")).await;
    assert!(matches!(refused, Err(StoreError::BadPosition)), "{refused:?}");
}

async fn deliveries_are_listed_in_order_with_the_time_since_which_they_wait(table: Shown<'_>) {
    table.commit(&first(id(1), "Subscribed")).await;
    let due = CursorState::Due { at: minutes(30), trouble: Some(trouble(minutes(-60))) };
    table.save(2, crm(), due).await;
    let asked_for = CursorState::Due { at: minutes(-5), trouble: None };
    table.save(3, Target::Endpoint, asked_for).await;
    for number in 4..9 {
        table.save(number, crm(), parked(minutes(-(number as i64)))).await;
    }
    table.save(9, crm(), CursorState::Flowing).await;
    let entry = |due, since, is_parked| Entry { due, since, is_parked };
    let cursor = |number, target| Due::Cursor(id(number), target);
    let waiting = [
        entry(cursor(3, Target::Endpoint), minutes(-5), false),
        // It is due two minutes after it was recorded.
        entry(Due::Pending(id(1), 1), noon(), false),
        entry(cursor(2, crm()), minutes(-60), false),
    ];
    let parked = [8, 7, 6, 5, 4].map(|number| {
        entry(cursor(number, crm()), minutes(-i64::try_from(number).expect("few")), true)
    });
    for limit in [1, 2, 100] {
        assert_eq!(table.undelivered(Undelivered::Waiting, limit).await, waiting, "{limit}");
        assert_eq!(table.undelivered(Undelivered::Parked, limit).await, parked, "{limit}");
    }
    let refused = table.overview.undelivered(Undelivered::Parked, 20, Some("nonsense")).await;
    assert!(matches!(refused, Err(StoreError::BadPosition)), "{refused:?}");
}

async fn an_agenda_holds_what_is_due_and_what_is_parked_each_up_to_its_limit(table: Shown<'_>) {
    let empty = table.overview.agenda(minutes(600), 20).await.expect("a read");
    assert!(empty.work.is_empty() && empty.parked.is_empty());
    assert!(!empty.has_more_work && !empty.has_more_parked);
    for number in 1..4 {
        let bought = first(id(number), "PendingFulfillmentStart");
        table.commit(&bought).await;
        let at = minutes(i64::try_from(number).expect("few"));
        let Decision::Commit(begun) = bought.record.begin_activation(at) else {
            panic!("an activation begins")
        };
        table.commit(&begun).await;
    }
    for number in 4..7 {
        table.save(number, crm(), parked(minutes(i64::try_from(number).expect("few")))).await;
    }
    // An activation is due two minutes after it began.
    let agenda = async |by, limit| table.overview.agenda(by, limit).await.expect("a read");
    let parked = |agenda: &shared::store::Agenda| {
        let ids = agenda.parked.iter().map(|entry| entry.due.subscription());
        ids.collect::<Vec<_>>()
    };
    let early = agenda(minutes(4), 20).await;
    assert_eq!((early.work.clone(), parked(&early)), (vec![id(1), id(2)], vec![id(4)]));
    assert!(!early.has_more_work && !early.has_more_parked);
    let few = agenda(minutes(600), 2).await;
    assert_eq!((few.work.clone(), parked(&few)), (vec![id(1), id(2)], vec![id(4), id(5)]));
    assert!(few.has_more_work && few.has_more_parked);
    let all = agenda(minutes(600), 3).await;
    assert_eq!((all.work.len(), all.parked.len()), (3, 3));
    assert!(!all.has_more_work && !all.has_more_parked);
    assert!(all.parked.iter().all(|entry| entry.is_parked));
}

async fn the_last_events_come_first_and_no_version_is_split(table: Shown<'_>) {
    const VERSIONS: u64 = 70;
    let mut current = first(id(1), "Subscribed");
    let mut expected = current.events.clone();
    table.commit(&current).await;
    for version in 2..=VERSIONS {
        let plan = if version.is_multiple_of(2) { "gold" } else { "silver" };
        let observed = serde_json::from_value(json!({ "planId": plan, "quantity": version }));
        current = change(Some(&current.record), &observed.expect("an observation"));
        assert_eq!(current.events.len(), 2);
        expected.extend(current.events.clone());
        table.commit(&current).await;
    }
    expected.reverse();
    let last = table.overview.last_events(id(1), u64::MAX).await.expect("a page");
    let shown = last.items.len();
    assert!((50..=100).contains(&shown), "{shown}");
    assert_eq!(last.items, expected[..shown]);
    let next: u64 = last.next.expect("there are more").parse().expect("a version");
    assert_eq!(next + 1, last.items[shown - 1].version);
    let rest = table.overview.last_events(id(1), next).await.expect("a page");
    assert_eq!((rest.items, rest.next), (expected[shown..].to_vec(), None));
    let oldest = table.overview.last_events(id(1), 1).await.expect("a page");
    assert_eq!((oldest.items, oldest.next), (expected[expected.len() - 2..].to_vec(), None));
    let none = table.overview.last_events(id(2), u64::MAX).await.expect("a page");
    assert_eq!((none.items, none.next), (vec![], None));
}

#[tokio::test]
async fn an_item_that_can_not_be_read_fails_alone() {
    let table = Table::new().await;
    for number in 1..3 {
        let first = first(id(number), "Subscribed");
        table.store.commit(id(number), &unmarked(&first)).await.expect("committed");
    }
    table.corrupt(id(1), &ATTRIBUTES).await;
    let wanted = BTreeSet::from([1, 2].map(|number| Wanted::Record(id(number))));
    let found = table.overview.look_up(&wanted).await.expect("a read");
    assert!(matches!(found.records[&id(1)], Err(StoreError::Corrupt { .. })));
    assert!(found.records[&id(2)].is_ok());
}

/// Runs each case on a table of its own, of every store.
macro_rules! test_every_overview {
    ($($case:ident),+ $(,)?) => {
        mod on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = crate::store::Table::new().await;
                super::$case(super::Shown {
                    store: &*table.store,
                    outbox: &*table.outbox,
                    annotations: &*table.annotations,
                    receivers: &*table.receivers,
                    checkpoints: &*table.checkpoints,
                    runs: &*table.runs,
                    examinations: &*table.examinations,
                    overview: &*table.overview,
                })
                .await;
            })+
        }

        mod on_the_wire {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::all_of(&*crate::store::wire::store())).await;
            })+
        }

        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::all_of(&memory_store::MemoryStore::default())).await;
            })+
        }
    };
}

fn all_of<T>(table: &T) -> Shown<'_>
where
    T: Store + Outbox + AnnotationStore + Receivers + Checkpoints + Runs + Examinations + Overview,
{
    Shown {
        store: table,
        outbox: table,
        annotations: table,
        receivers: table,
        checkpoints: table,
        runs: table,
        examinations: table,
        overview: table,
    }
}

test_every_overview!(
    items_of_every_kind_are_read_together_and_what_is_missing_is_left_out,
    more_items_than_one_batch_takes_are_read,
    a_list_of_ids_names_the_subscriptions_of_the_list_of_records,
    deliveries_are_listed_in_order_with_the_time_since_which_they_wait,
    an_agenda_holds_what_is_due_and_what_is_parked_each_up_to_its_limit,
    the_last_events_come_first_and_no_version_is_split,
);
