//! Lists over the index of what is due.

use jiff::Timestamp;

use super::DynamoDbStore;
use super::spread::{Place, Spread};
use crate::domain::SubscriptionId;
use crate::store::item::{self, Item, index};
use crate::store::{Page, StoreError};

pub(super) const DUE_INDEX: &str = "by-due";

/// An entry of the index.
pub(super) struct DueEntry<'a> {
    pub id: SubscriptionId,
    /// The item's sort key in the table.
    pub sort: &'a str,
    /// The entry's sort key in the index.
    pub due_at: &'a str,
    /// The position from which a page continues after this entry.
    pub position: String,
}

impl<'a> DueEntry<'a> {
    fn of(list: &Spread, found: &'a Item) -> Option<Self> {
        let position = position(list.place(found)?);
        Some(Self {
            id: item::subscription(found)?,
            sort: found.get(item::SORT)?.as_s().ok()?,
            due_at: found.get(index::DUE_AT)?.as_s().ok()?,
            position,
        })
    }
}

impl DynamoDbStore {
    /// A page of the entries under these partition keys, the oldest first.
    pub(super) async fn due_entries<T>(
        &self,
        keys: Vec<String>,
        by: Option<Timestamp>,
        limit: u8,
        next: Option<&str>,
        read: impl Fn(DueEntry) -> Option<T> + Send,
    ) -> Result<Page<T>, StoreError> {
        let list = Spread {
            index: DUE_INDEX,
            partition: index::OUTBOX,
            sort: index::DUE_AT,
            keys,
            is_descending: false,
            up_to: by.map(item::due_by),
            limit,
            filter: Vec::new(),
        };
        let after = next.map(parse).transpose()?;
        let found = self.merged(&list, after.as_ref()).await?;
        let items = found.items.iter().filter_map(|found| DueEntry::of(&list, found));
        Ok(Page { items: items.filter_map(read).collect(), next: found.next.map(position) })
    }
}

fn position((due_at, partition, sort): Place) -> String {
    [due_at, partition, sort].join(" ")
}

/// A place, as the previous page gave it.
fn parse(next: &str) -> Result<Place, StoreError> {
    let mut parts = next.split(' ').map(str::to_owned);
    let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(StoreError::BadPosition);
    Ok((part()?, part()?, part()?))
}
