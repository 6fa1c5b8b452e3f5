//! The contract of the memory of refused tokens and codes, for every store.

use shared::domain::Account;
use shared::store::{REFUSAL_LIFETIME, Refusals, Refused};

use super::idempotency::dynamodb;
use super::*;

async fn a_refusal_is_remembered_for_an_hour_and_concerns_nothing_else(table: &dyn Refusals) {
    let account = |object| Account {
        tenant_id: Uuid::from_u128(7),
        object_id: Some(Uuid::from_u128(object)),
    };
    let refused = Refused::purchase_token(&account(1), "junk");
    let others = [
        Refused::purchase_token(&account(2), "junk"),
        Refused::purchase_token(&account(1), "genuine"),
        Refused::sign_in_code("state", "junk"),
    ];
    let is_refused =
        async |refused: &Refused, at| table.is_refused(refused, at).await.expect("a read");
    assert!(!is_refused(&refused, noon()).await);
    table.remember(&refused, noon()).await.expect("a write");
    let hour = noon() + REFUSAL_LIFETIME;
    for (at, expected) in
        [(noon(), true), (hour - SignedDuration::from_secs(1), true), (hour, false)]
    {
        assert_eq!(is_refused(&refused, at).await, expected, "{at}");
        for other in &others {
            assert!(!is_refused(other, at).await, "{other}");
        }
    }
    table.remember(&refused, hour).await.expect("a write");
    assert!(is_refused(&refused, hour).await, "it is remembered anew");
}

#[tokio::test]
async fn a_refusal_is_remembered_on_dynamodb() {
    let table = Table::new().await;
    a_refusal_is_remembered_for_an_hour_and_concerns_nothing_else(&dynamodb(&table)).await;
}

#[tokio::test]
async fn a_refusal_is_remembered_on_the_wire() {
    a_refusal_is_remembered_for_an_hour_and_concerns_nothing_else(&*wire::store()).await;
}

#[tokio::test]
async fn a_refusal_is_remembered_in_memory() {
    let table = memory_store::MemoryStore::default();
    a_refusal_is_remembered_for_an_hour_and_concerns_nothing_else(&table).await;
}

#[tokio::test]
async fn a_refusal_expires_and_holds_neither_token_nor_account() {
    let table = Table::new().await;
    let account = Account { tenant_id: Uuid::from_u128(7), object_id: Some(Uuid::from_u128(8)) };
    let refused = Refused::purchase_token(&account, "junk");
    dynamodb(&table).remember(&refused, noon()).await.expect("a write");
    let all = table.raw.scan().table_name(TABLE).send().await.expect("the database answers");
    let [item] = all.items() else { panic!("one item: {all:?}") };
    let mut names: Vec<_> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["expires_at", "pk", "sk"]);
    let expires_at = (noon() + REFUSAL_LIFETIME).as_second().to_string();
    assert_eq!(item["expires_at"].as_n().expect("a number"), &expires_at);
    let text = format!("{item:?}");
    for secret in ["junk", &account.tenant_id.to_string(), &Uuid::from_u128(8).to_string()] {
        assert!(!text.contains(secret), "{text}");
    }
}
