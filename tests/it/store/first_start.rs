//! The deployment's first start, in every store.

use shared::store::{Checkpoints, CommitError, FirstStart};

use super::*;

async fn a_first_start_is_stored_once_and_so_is_the_end_of_its_import(store: &dyn Checkpoints) {
    assert_eq!(store.first_start().await.expect("a read"), None);
    let later = noon() + SignedDuration::from_hours(1);
    let first = FirstStart { started_at: noon(), imported_at: None };
    let again = FirstStart { started_at: later, imported_at: None };
    store.save_first_start(&first).await.expect("there was none");
    let refused = store.save_first_start(&again).await;
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
    assert_eq!(store.first_start().await.expect("a read"), Some(first));
    let ended = FirstStart { imported_at: Some(later), ..first };
    store.save_first_start(&ended).await.expect("the import was under way");
    for refused in [first, again, ended, FirstStart { imported_at: Some(noon()), ..again }] {
        let refused = store.save_first_start(&refused).await;
        assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
    }
    assert_eq!(store.first_start().await.expect("a read"), Some(ended));
}

async fn a_first_start_without_an_import_is_stored(store: &dyn Checkpoints) {
    let first = FirstStart { started_at: noon(), imported_at: Some(noon()) };
    store.save_first_start(&first).await.expect("there was none");
    assert_eq!(store.first_start().await.expect("a read"), Some(first));
}

#[tokio::test]
async fn first_starts_are_stored_on_dynamodb() {
    let table = Table::new().await;
    a_first_start_is_stored_once_and_so_is_the_end_of_its_import(&*table.checkpoints).await;
    let table = Table::new().await;
    a_first_start_without_an_import_is_stored(&*table.checkpoints).await;
}

#[tokio::test]
async fn first_starts_are_stored_on_the_wire() {
    a_first_start_is_stored_once_and_so_is_the_end_of_its_import(&*wire::store()).await;
    a_first_start_without_an_import_is_stored(&*wire::store()).await;
}

#[tokio::test]
async fn first_starts_are_stored_in_memory() {
    let table = memory_store::MemoryStore::default();
    a_first_start_is_stored_once_and_so_is_the_end_of_its_import(&table).await;
    a_first_start_without_an_import_is_stored(&memory_store::MemoryStore::default()).await;
}
