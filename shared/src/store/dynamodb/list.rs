//! Lists of records and of events, page by page.

use aws_sdk_dynamodb::error::SdkError;
use tracing::error;

use super::error::{list_error, store_error};
use super::{DynamoDbStore, PAGE};
use crate::domain::{Event, Record, SubscriptionId};
use crate::store::item::{self, Item, text};
use crate::store::{Filter, Page, Store as _, StoreError};

/// Events per page. It is more than a version can have, so a version's events always fit.
const EVENT_PAGE: i32 = 200;

impl DynamoDbStore {
    /// A page may be empty and not the last one, where no record of it fits the filter (any more).
    pub(super) async fn list_records(
        &self,
        filter: &Filter,
        next: Option<&str>,
    ) -> Result<Page<Record>, StoreError> {
        let (index, attribute, value) = match (&filter.offer_id, &filter.status) {
            (Some(offer), _) => ("by-offer", item::OFFER, offer.as_str()),
            (None, Some(status)) => ("by-status", item::STATUS, status.as_str()),
            (None, None) => return self.list_all(next).await,
        };
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .limit(PAGE)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", text(value))
            .set_exclusive_start_key(next.map(|next| start(next, attribute)).transpose()?);
        let answer = request.send().await.map_err(|error| list_error(error, next))?;
        self.page(filter, answer.items, answer.last_evaluated_key).await
    }

    /// Scans the index, which holds records alone.
    async fn list_all(&self, next: Option<&str>) -> Result<Page<Record>, StoreError> {
        let start = next.map(|next| start(next, item::STATUS)).transpose()?;
        let request =
            self.client.scan().table_name(&self.table).index_name("by-status").limit(PAGE);
        let answer = request.set_exclusive_start_key(start).send().await;
        let answer = answer.map_err(|error: SdkError<_, _>| list_error(error, next))?;
        self.page(&Filter::default(), answer.items, answer.last_evaluated_key).await
    }

    /// Reads the records that an index names: it holds keys alone, so that a change which keeps the
    /// status and the offer writes nothing to it. A record that can't be read is logged and left
    /// out, so that it does not hide all the others.
    async fn page(
        &self,
        filter: &Filter,
        items: Option<Vec<Item>>,
        last: Option<Item>,
    ) -> Result<Page<Record>, StoreError> {
        let ids: Vec<_> = items.unwrap_or_default().iter().filter_map(item::subscription).collect();
        let mut read = self.load_many(&ids).await?;
        let readable = |id| {
            let record = read.remove(id)?;
            record.inspect_err(|error| error!(%error, "left a record out of a list")).ok()
        };
        let records = ids.iter().filter_map(readable);
        // The index may lag behind the records.
        let items = records.filter(|record| filter.is_met_by(record)).collect();
        Ok(Page { items, next: last.as_ref().and_then(position) })
    }

    pub(super) async fn list_events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        let from = item::event_key(after_version.saturating_add(1), 0);
        let keys = (from, item::event_key(u64::MAX, u8::MAX));
        let request = self.query_between(id, keys).limit(EVENT_PAGE);
        let answer = request.send().await.map_err(store_error)?;
        // An event that can't be read fails the page. If we left it out, it would be lost silently.
        let mut items: Vec<Event> = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(item::body)
            .collect::<Result<_, _>>()?;
        let mut next = None;
        if answer.last_evaluated_key.is_some_and(|key| !key.is_empty())
            && let Some(last) = items.last().map(|event| event.version)
        {
            // DynamoDB may end the page within a version. Then that version starts the next page.
            items.retain(|event| event.version < last);
            next = items.last().map(|event| event.version.to_string());
        }
        Ok(Page { items, next })
    }
}

/// Where a page ended, as callers pass it on: the subscription, and its index key.
fn position(last: &Item) -> Option<String> {
    let part = |name| Some(last.get(name)?.as_s().ok()?.as_str());
    let index_key = part(item::STATUS).or_else(|| part(item::OFFER))?;
    Some(format!("{}:{index_key}", part(item::SUBSCRIPTION)?))
}

/// The key after which the next page starts.
fn start(position: &str, attribute: &str) -> Result<Item, StoreError> {
    let bad = || StoreError::BadPosition;
    let (id, index_key) = position.split_once(':').ok_or_else(bad)?;
    let id: SubscriptionId = id.parse().map_err(|_| bad())?;
    let mut key = item::key(item::partition(id), item::RECORD);
    key.insert(attribute.to_owned(), text(index_key));
    key.insert(item::SUBSCRIPTION.to_owned(), text(id.to_string()));
    Ok(key)
}
