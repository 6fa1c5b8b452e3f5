//! Lists of records and of events, page by page.

use aws_sdk_dynamodb::error::SdkError;
use tracing::error;

use super::DynamoDbStore;
use super::error::{list_error, store_error};
use super::spread::{Place, Spread};
use crate::domain::{Event, Position, Record, SubscriptionId};
use crate::store::item::{self, Item, index, text};
use crate::store::{Filter, ItemKind, ListBy, ListQuery, Page, Sort, Store as _, StoreError};

/// Events per page. It is more than a version can have, so a version's events always fit.
pub(super) const EVENT_PAGE: i32 = 100;

impl DynamoDbStore {
    /// The subscriptions that a page of an index names. It holds keys alone, so that a change which keeps the
    /// status and the offer writes nothing to it.
    pub(super) async fn listed_ids(
        &self,
        ListQuery { by, filter, limit }: &ListQuery,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        match by {
            ListBy::All => self.list_unsorted(filter, *limit, next).await,
            ListBy::Sort(sort) => {
                self.list_sorted(filter, *sort, sort.is_descending(), *limit, next).await
            }
            ListBy::Oldest => self.list_sorted(filter, Sort::LastChange, false, *limit, next).await,
            ListBy::Search(term) => self.list_found(term, *limit, next).await,
        }
    }

    async fn list_unsorted(
        &self,
        filter: &Filter,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        let (name, attribute, value) = match (&filter.offer_id, &filter.status) {
            (Some(offer), _) => ("by-offer", index::OFFER, offer.as_str()),
            (None, Some(status)) => ("by-status", index::STATUS, status.as_str()),
            (None, None) => return self.list_all(limit, next).await,
        };
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(name)
            .limit(limit.into())
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", text(value))
            .set_exclusive_start_key(next.map(|next| start(next, attribute)).transpose()?);
        let answer = request.send().await.map_err(|error| list_error(error, next))?;
        let items = subscriptions(&answer.items.unwrap_or_default());
        Ok(Page { items, next: answer.last_evaluated_key.as_ref().and_then(position) })
    }

    /// Scans the index, which holds records alone.
    async fn list_all(
        &self,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        let start = next.map(|next| start(next, index::STATUS)).transpose()?;
        let scan = self.client.scan().table_name(&self.table).index_name("by-status");
        let request = scan.limit(limit.into());
        let answer = request.set_exclusive_start_key(start).send().await;
        let answer = answer.map_err(|error: SdkError<_, _>| list_error(error, next))?;
        let items = subscriptions(&answer.items.unwrap_or_default());
        Ok(Page { items, next: answer.last_evaluated_key.as_ref().and_then(position) })
    }

    /// A page may be empty and not the last one.
    async fn list_sorted(
        &self,
        filter: &Filter,
        sort: Sort,
        is_descending: bool,
        limit: u8,
        next: Option<&str>,
    ) -> Result<Page<SubscriptionId>, StoreError> {
        let place = |(key, id): (&str, _)| -> Place {
            (key.to_owned(), item::partition(id), ItemKind::Record.sort().to_owned())
        };
        let after = next.map(|next| sort.record_before(next).map(place)).transpose()?;
        let status =
            filter.status.as_ref().map(|status| (index::STATUS, status.as_str().to_owned()));
        let offer = filter.offer_id.as_ref().map(|offer| (index::OFFER, offer.clone()));
        let list = Spread {
            index: match sort {
                Sort::LastChange => "by-change",
                Sort::TermEnd => "by-term-end",
            },
            partition: index::LISTED,
            sort: index::sort_attribute(sort),
            keys: index::list_keys().collect(),
            is_descending,
            up_to: None,
            limit,
            filter: status.into_iter().chain(offer).collect(),
        };
        let found = self.merged(&list, after.as_ref()).await?;
        // The index may lag: a record that has just changed is listed in its former place.
        Ok(Page {
            items: subscriptions(&found.items),
            next: found.next.map(|(key, ..)| sort.position(&key)),
        })
    }

    /// Reads the records that an index names. A record that can't be read is logged and left out, so that it
    /// does not hide all the others.
    pub(super) async fn records(
        &self,
        filter: &Filter,
        ids: &[SubscriptionId],
    ) -> Result<Vec<Record>, StoreError> {
        let mut read = self.load_many(ids).await?;
        let readable = |id| {
            let record = read.remove(id)?;
            record.inspect_err(|error| error!(%error, class = error.class().name(), "left a record out of a list")).ok()
        };
        let records = ids.iter().filter_map(readable);
        // The index may lag behind the records.
        Ok(records.filter(|record| filter.is_met_by(record)).collect())
    }

    pub(super) async fn list_events(
        &self,
        id: SubscriptionId,
        after_version: u64,
    ) -> Result<Page<Event>, StoreError> {
        let first = Position { version: after_version.saturating_add(1), index: 0 };
        let request = self.query_between(id, item::events_from(first)).limit(EVENT_PAGE);
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

fn subscriptions(found: &[Item]) -> Vec<SubscriptionId> {
    found.iter().filter_map(item::subscription).collect()
}

/// Where a page ended, as callers pass it on: the subscription, and its index key.
pub(super) fn position(last: &Item) -> Option<String> {
    let part = |name| Some(last.get(name)?.as_s().ok()?.as_str());
    let index_key = part(index::STATUS).or_else(|| part(index::OFFER))?;
    Some(format!("{}:{index_key}", part(index::SUBSCRIPTION)?))
}

/// The key after which the next page starts.
pub(super) fn start(position: &str, attribute: &str) -> Result<Item, StoreError> {
    let bad = || StoreError::BadPosition;
    let (id, index_key) = position.split_once(':').ok_or_else(bad)?;
    let id: SubscriptionId = id.parse().map_err(|_| bad())?;
    let mut key = item::record_key(id);
    key.insert(attribute.to_owned(), text(index_key));
    key.insert(index::SUBSCRIPTION.to_owned(), text(id.to_string()));
    Ok(key)
}
