//! The contract of every store of annotations. Each case gets an empty table.

use shared::domain::{AnnotationPatch, Annotations, MetadataPatch};
use shared::store::{AnnotationStore, SaveError};

use super::*;

/// A table, by both of its ports.
#[derive(Clone, Copy)]
struct AnnotatedTable<'a> {
    store: &'a dyn Store,
    annotations: &'a dyn AnnotationStore,
}

/// The next annotations of a subscription.
fn annotated(current: Option<&Annotations>, reference: &str) -> Annotations {
    let metadata = MetadataPatch::Merge([("tier".to_owned(), Some("1".to_owned()))].into());
    let patch = AnnotationPatch::new(Some(Some(reference.to_owned())), Some(metadata));
    let by = Some("arn:aws:iam::123456789012:role/shop".to_owned());
    let next = patch.expect("short texts").apply(current, noon(), by);
    next.expect("few pairs").expect("a change")
}

async fn read(table: AnnotatedTable<'_>, number: usize) -> Option<Annotations> {
    table.annotations.annotations(id(number)).await.expect("a read")
}

async fn save(table: AnnotatedTable<'_>, number: usize, next: &Annotations) {
    table.annotations.save_annotations(id(number), next).await.expect("saved");
}

async fn annotations_are_saved_only_over_their_last_revision(table: AnnotatedTable<'_>) {
    assert_eq!(read(table, 1).await, None);
    let one = annotated(None, "C-1");
    let two = annotated(Some(&one), "C-2");
    let three = annotated(Some(&two), "C-3");
    let refused = table.annotations.save_annotations(id(1), &two).await;
    assert!(matches!(refused, Err(SaveError::Conflict)), "there is no first one: {refused:?}");
    save(table, 1, &one).await;
    assert_eq!(read(table, 1).await.as_ref(), Some(&one));
    for (wrong, why) in [(&one, "it is there"), (&three, "it skips one")] {
        let refused = table.annotations.save_annotations(id(1), wrong).await;
        assert!(matches!(refused, Err(SaveError::Conflict)), "{why}: {refused:?}");
    }
    save(table, 1, &two).await;
    assert_eq!(read(table, 1).await, Some(two));
    assert_eq!(read(table, 2).await, None, "another subscription is not affected");
}

async fn only_one_of_many_writers_of_a_revision_wins(table: AnnotatedTable<'_>) {
    let rivals = ["C-1", "C-2", "C-3"].map(|reference| annotated(None, reference));
    let save = |next| table.annotations.save_annotations(id(1), next);
    let (a, b, c) = tokio::join!(save(&rivals[0]), save(&rivals[1]), save(&rivals[2]));
    let outcomes = [a, b, c];
    let winners: Vec<_> =
        rivals.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).collect();
    let [(winner, _)] = winners[..] else { panic!("one wins: {outcomes:?}") };
    for outcome in &outcomes {
        assert!(matches!(outcome, Ok(()) | Err(SaveError::Conflict)), "{outcome:?}");
    }
    assert_eq!(read(table, 1).await.as_ref(), Some(winner));
}

async fn a_record_and_its_annotations_do_not_touch_each_other(table: AnnotatedTable<'_>) {
    let one = first(id(1), "Subscribed");
    let note = annotated(None, "C-1");
    table.store.commit(id(1), &unmarked(&one)).await.expect("committed");
    save(table, 1, &note).await;
    let loaded = table.store.load(id(1)).await.expect("a read").expect("a record");
    assert_eq!(loaded, one.record);
    // A commit that was decided before the annotations were saved meets no conflict.
    let two = next(&one.record, 20);
    table.store.commit(id(1), &marked(Some(&two), &mark(7))).await.expect("committed");
    assert_eq!(read(table, 1).await.as_ref(), Some(&note));
    save(table, 1, &annotated(Some(&note), "C-2")).await;
    let events = table.store.events(id(1), 0).await.expect("a read").items;
    assert_eq!(events, [one.events, two.events].concat(), "annotations make no event");

    save(table, 2, &note).await;
    assert_eq!(table.store.load(id(2)).await.expect("a read"), None, "they are no record");
    let listed = table.store.list(&ListQuery::default(), None).await.expect("a list");
    assert_eq!(listed.items, [two.record]);
}

async fn a_subscription_is_found_by_its_reference_and_no_longer_by_an_old_one(
    table: AnnotatedTable<'_>,
) {
    let one = first(id(1), "Subscribed");
    table.store.commit(id(1), &unmarked(&one)).await.expect("committed");
    let found = async |text: &str| {
        let query = search::search(text);
        table.store.list(&query, None).await.expect("a list").items.len()
    };
    let noted = annotated(None, "Customer-4711-North");
    save(table, 1, &noted).await;
    for text in ["cus", "CUSTOMER", "customer-4711", "customer-4711-north"] {
        assert_eq!(found(text).await, 1, "{text}");
    }
    assert_eq!(found("4711").await, 0, "a search asks for beginnings");
    // The next version of the record keeps what is beside it.
    let two = next(&one.record, 20);
    table.store.commit(id(1), &marked(Some(&two), &mark(7))).await.expect("committed");
    assert_eq!(found("customer-4711").await, 1);
    let shorter = annotated(Some(&noted), "C-9");
    save(table, 1, &shorter).await;
    for (text, times) in [("customer-4711-north", 0), ("customer", 0), ("cus", 0), ("c-9", 1)] {
        assert_eq!(found(text).await, times, "{text}");
    }
    let removed = AnnotationPatch::new(Some(None), None).expect("a patch");
    let removed = removed.apply(Some(&shorter), noon(), None).expect("few pairs");
    save(table, 1, &removed.expect("a change")).await;
    assert_eq!(found("c-9").await, 0);
}

/// Runs each case on a table of its own, in every implementation.
macro_rules! test_every_annotation_store {
    ($($case:ident),+ $(,)?) => {
        mod on_dynamodb {
            $(#[tokio::test]
            async fn $case() {
                let table = crate::store::Table::new().await;
                let (store, annotations) = (&*table.store, &*table.annotations);
                super::$case(super::AnnotatedTable { store, annotations })
                    .await;
            })+
        }

        mod on_the_wire {
            $(#[tokio::test]
            async fn $case() {
                let table = crate::store::wire::store();
                let (store, annotations) = (&*table, &*table);
                super::$case(super::AnnotatedTable { store, annotations })
                    .await;
            })+
        }

        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                let table = memory_store::MemoryStore::default();
                let (store, annotations) = (&table, &table);
                super::$case(super::AnnotatedTable { store, annotations })
                    .await;
            })+
        }
    };
}

test_every_annotation_store!(
    annotations_are_saved_only_over_their_last_revision,
    only_one_of_many_writers_of_a_revision_wins,
    a_record_and_its_annotations_do_not_touch_each_other,
    a_subscription_is_found_by_its_reference_and_no_longer_by_an_old_one,
);

/// On DynamoDB, with an item that no version wrote.
#[tokio::test]
async fn annotations_that_can_not_be_read_fail_alone() {
    let table = Table::new().await;
    for number in [1, 2] {
        let saved = annotated(None, "C-1");
        table.annotations.save_annotations(id(number), &saved).await.expect("saved");
    }
    table
        .raw
        .update_item()
        .table_name(TABLE)
        .key("pk", AttributeValue::S(format!("SUB#{}", id(1))))
        .key("sk", AttributeValue::S("ANNOTATIONS".to_owned()))
        .update_expression("SET body = :text")
        .expression_attribute_values(":text", AttributeValue::S("C-1".to_owned()))
        .send()
        .await
        .expect("the item is there");
    let broken = table.annotations.annotations(id(1)).await.expect_err("no annotations");
    assert!(matches!(broken, StoreError::Corrupt { .. }), "{broken:?}");
    assert!(!broken.to_string().contains("C-1"), "no reference reaches a log: {broken}");
    assert!(table.annotations.annotations(id(2)).await.is_ok());
}
