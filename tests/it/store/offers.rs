//! The settings of offers, in every store.

use shared::store::{OfferSettings, SaveError, StoredOffers};

use super::*;

fn revision(revision: u64) -> StoredOffers {
    let offers = json!({ "fleet": { "name": format!("Fleet {revision}"), "later": [1.5, null] } });
    StoredOffers { revision, offers: offers.as_object().expect("an object").clone() }
}

async fn offers_are_saved_only_as_the_next_revision(table: &dyn OfferSettings) {
    let stored = async || table.offers().await.expect("a read");
    assert_eq!(stored().await, StoredOffers::default());
    for (next, is_saved) in
        [(0, false), (2, false), (1, true), (1, false), (3, false), (2, true), (0, false)]
    {
        let before = stored().await;
        let saved = table.save_offers(&revision(next)).await;
        match is_saved {
            true => saved.expect("it is the next one"),
            false => assert!(matches!(saved, Err(SaveError::Conflict)), "{next}: {saved:?}"),
        }
        assert_eq!(stored().await, if is_saved { revision(next) } else { before });
    }
    let none = StoredOffers { revision: 3, ..StoredOffers::default() };
    table.save_offers(&none).await.expect("they are removed");
    assert_eq!(stored().await, none);
}
#[tokio::test]
async fn offers_are_kept_on_dynamodb() {
    offers_are_saved_only_as_the_next_revision(&*Table::new().await.offers).await;
}

#[tokio::test]
async fn offers_are_kept_on_the_wire() {
    offers_are_saved_only_as_the_next_revision(&*wire::store()).await;
}

#[tokio::test]
async fn offers_are_kept_in_memory() {
    offers_are_saved_only_as_the_next_revision(&memory_store::MemoryStore::default()).await;
}
