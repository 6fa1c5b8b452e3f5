//! The deployment's first start, in DynamoDB.

use super::{DynamoDbStore, READS};
use crate::store::item::{self, number};
use crate::store::{CommitError, FirstStart, StoreError};

impl DynamoDbStore {
    pub(super) async fn read_first_start(&self) -> Result<Option<FirstStart>, StoreError> {
        let read = || self.get(item::first_start_key());
        let found = self.retries.retry(&*self.clock, &READS, read).await?;
        found.map(item::body).transpose()
    }

    pub(super) async fn put_first_start(&self, first: &FirstStart) -> Result<(), CommitError> {
        let replaced = u8::from(first.imported_at.is_some());
        let put = self.client.put_item().set_item(Some(item::first_start(first)?));
        let put = put
            .condition_expression("attribute_not_exists(#pk) OR #version <= :replaced")
            .expression_attribute_names("#pk", item::PARTITION)
            .expression_attribute_names("#version", item::VERSION)
            .expression_attribute_values(":replaced", number(replaced));
        self.put_if(put).await
    }
}
