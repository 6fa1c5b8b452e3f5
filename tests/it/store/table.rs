//! A table on the embedded database.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use local::{Database, database};
use shared::domain::SubscriptionId;
use shared::host::clock::Clock;
use shared::host::environment::Environment;
use shared::host::http_client::{HttpClient, Transport};
use shared::store::{
    AnnotationStore, Attempts, Checkpoints, DueWork, Erasures, Examinations, Inspection,
    OfferSettings, Outbox, Overview, Pacing, Receivers, Restoration, Runs, Sightings, Store,
};
use uuid::Uuid;

use super::{noon, sort};

/// A clock that never moves.
#[derive(Debug)]
pub(super) struct Stopped;

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        noon()
    }

    async fn sleep(&self, _: std::time::Duration) {}

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// The table on the embedded database, with a raw client that bypasses the store.
pub(super) struct Table {
    pub(super) store: Arc<dyn Store>,
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) checkpoints: Arc<dyn Checkpoints>,
    pub(super) pacing: Arc<dyn Pacing>,
    pub(super) receivers: Arc<dyn Receivers>,
    pub(super) due_work: Arc<dyn DueWork>,
    pub(super) runs: Arc<dyn Runs>,
    pub(super) restoration: Arc<dyn Restoration>,
    pub(super) annotations: Arc<dyn AnnotationStore>,
    pub(super) attempts: Arc<dyn Attempts>,
    pub(super) sightings: Arc<dyn Sightings>,
    pub(super) inspection: Arc<dyn Inspection>,
    pub(super) offers: Arc<dyn OfferSettings>,
    pub(super) examinations: Arc<dyn Examinations>,
    pub(super) erasures: Arc<dyn Erasures>,
    pub(super) overview: Arc<dyn Overview>,
    pub(super) raw: aws_sdk_dynamodb::Client,
    pub(super) database: Option<Database>,
}

pub(super) const TABLE: &str = "subscriptions";

impl Table {
    pub(super) async fn new() -> Self {
        let table = Self::without_table().await;
        database::create_table(&table.raw, TABLE).await.expect("the table is made");
        table
    }

    pub(super) async fn without_table() -> Self {
        let database = Database::start(None).await.expect("the database starts");
        let url = database.url().to_owned();
        let raw = database::client(&url, "us-east-1");
        let environment = Environment::from_fn(move |name| match name {
            "TABLE_NAME" => Some(TABLE.to_owned()),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.clone()),
            "AWS_REGION" => Some("us-east-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
            _ => None,
        });
        let transport: Arc<dyn Transport> = Arc::new(HttpClient::default());
        let store = shared::config::table(&environment, &transport, Arc::new(Stopped))
            .expect("the settings are fine");
        Self {
            outbox: store.clone(),
            checkpoints: store.clone(),
            pacing: store.clone(),
            receivers: store.clone(),
            due_work: store.clone(),
            runs: store.clone(),
            restoration: store.clone(),
            annotations: store.clone(),
            attempts: store.clone(),
            sightings: store.clone(),
            inspection: store.clone(),
            offers: store.clone(),
            examinations: store.clone(),
            erasures: store.clone(),
            overview: store.clone(),
            store,
            raw,
            database: Some(database),
        }
    }

    /// Every item of a subscription, by sort key.
    pub(super) async fn items(&self, id: SubscriptionId) -> Vec<HashMap<String, AttributeValue>> {
        let query = self.raw.query().table_name(TABLE).key_condition_expression("pk = :pk");
        let partition = AttributeValue::S(format!("SUB#{id}"));
        let answer = query.expression_attribute_values(":pk", partition).send().await;
        answer.expect("the database answers").items.unwrap_or_default()
    }

    /// Overwrites the item of a record with these attributes and a malformed body.
    pub(super) async fn corrupt(&self, id: SubscriptionId, kept: &[&str]) {
        let mut items = self.items(id).await;
        items.retain(|item| sort(item) == "RECORD");
        let mut item = items.pop().expect("a record");
        item.retain(|name, _| kept.contains(&name.as_str()));
        item.insert("body".into(), AttributeValue::S("not a record".into()));
        let put = self.raw.put_item().table_name(TABLE).set_item(Some(item));
        put.send().await.expect("the item is stored");
    }
}
