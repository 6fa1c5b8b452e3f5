//! What a search costs among a hundred thousand subscriptions.

use memory_dynamodb::{Item, Value};
use shared::domain::{SearchField, SearchTerm};

use super::search::search;
use super::*;

const SUBSCRIPTIONS: usize = 100_000;

/// As many first names there are, all with the same beginning.
const FIRST_NAMES: usize = 100;

fn address(number: usize) -> String {
    format!("per{:02}on.andersson{number}@contoso.example", number % FIRST_NAMES)
}

/// Scattered, like Microsoft's ids.
fn scattered(number: usize) -> SubscriptionId {
    SubscriptionId(Uuid::from_u128(
        (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
    ))
}

fn purchase(number: usize) -> NextVersion {
    let observed = json!({
        "id": scattered(number), "offerId": "offer", "planId": "silver",
        "saasSubscriptionStatus": "Subscribed", "beneficiary": { "emailId": address(number) },
    });
    change(None, &serde_json::from_value(observed).expect("an observation"))
}

/// The search items of another subscription's address, made of those of a first one that begins like it.
fn another(like: &[Item], number: usize) -> impl Iterator<Item = Item> {
    let id = scattered(number).to_string();
    like.iter().map(move |like| {
        let mut item = like.clone();
        item.insert("pk".to_owned(), Value::S(format!("SUB#{id}")));
        item.insert("subscription_id".to_owned(), Value::S(id.clone()));
        item.insert("term".to_owned(), Value::S(address(number)));
        item
    })
}

/// Half a unit for each 4 KB, of entries that the index doesn't show as they were a moment ago.
fn units(bytes: usize) -> f64 {
    let blocks = u32::try_from(bytes.div_ceil(4096)).expect("a page");
    f64::from(blocks) / 2.0
}

#[tokio::test]
async fn a_search_among_a_hundred_thousand_subscriptions_is_one_query_of_a_few_units() {
    let (store, wire) = wire::store_and_table();
    for number in 0..FIRST_NAMES {
        let purchase = purchase(number);
        store.commit(scattered(number), &unmarked(&purchase)).await.expect("committed");
    }
    {
        let mut table = wire.table.lock().expect("no test panicked");
        let like: Vec<Vec<Item>> = (0..FIRST_NAMES)
            .map(|number| {
                let partition = format!("SUB#{}", scattered(number));
                let item = |length| {
                    let sort = format!("SEARCH#{}#{length}", SearchField::BeneficiaryEmail.name());
                    table.item(&partition, &sort).cloned()
                };
                [3, 8].into_iter().filter_map(item).collect()
            })
            .collect();
        assert!(like.iter().all(|items| items.len() == 2));
        for number in FIRST_NAMES..SUBSCRIPTIONS {
            table.fill(another(&like[number % FIRST_NAMES], number));
        }
    }
    wire.asked();
    let found = scattered(7);
    for (text, most) in [
        // Whole values, and beginnings that few share.
        (found.to_string(), 0.5),
        (found.to_string()[..9].to_owned(), 0.5),
        (address(7), 0.5),
        (address(7)[..20].to_owned(), 0.5),
        // A page of a hundred: all begin with the text.
        ("per".to_owned(), 4.0),
        ("per07on.".to_owned(), 4.0),
        // A page of a thousand, of which some begin with the text.
        ("per07on.anders".to_owned(), 32.0),
        ("per07".to_owned(), 32.0),
    ] {
        let page = store.list(&search(&text), None).await.expect("a page");
        let asked = wire.asked();
        let operations: Vec<_> = asked.iter().map(|(operation, _)| operation.as_str()).collect();
        assert_eq!(operations, ["Query", "BatchGetItem"], "{text}");
        let units = units(asked[0].1);
        assert!(units <= most, "{text}: {units} units");
        // Few of the others have a record.
        let is_whole = most < 1.0;
        let ids: Vec<_> = page.items.iter().map(Record::id).collect();
        assert!(!is_whole || ids == [found], "{text}: {ids:?}");
        assert_eq!(page.next.is_none(), is_whole, "{text}");
    }
    let nobody = SearchTerm::of("somebody else").expect("a term");
    let page = store.list(&ListQuery::by(ListBy::Search(nobody)), None).await.expect("a page");
    assert!(page.items.is_empty() && page.next.is_none());
    assert_eq!(wire.asked(), [("Query".to_owned(), 0)]);
}
