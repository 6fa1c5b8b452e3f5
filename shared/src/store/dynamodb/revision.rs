//! Items with a revision: each writer names the one that it has read, so that of two writers one is refused.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;

use super::DynamoDbStore;
use super::error::store_error;
use crate::store::SaveError;
use crate::store::item::{self, Item, number};

impl DynamoDbStore {
    /// Puts an item of this revision, if the stored one is one below; for the first one, if there is none.
    /// `None` for revision 0, which nothing is saved under.
    pub(super) fn put_revision(&self, item: Item, revision: u64) -> Option<PutItemFluentBuilder> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        Some(match revision.checked_sub(1)? {
            0 => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION),
            expected => put
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", item::VERSION)
                .expression_attribute_values(":expected", number(expected)),
        })
    }

    /// Deletes an item, if the stored one has this revision.
    pub(super) async fn delete_revision(&self, key: Item, revision: u64) -> Result<(), SaveError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .condition_expression("#version = :expected")
            .expression_attribute_names("#version", item::VERSION)
            .expression_attribute_values(":expected", number(revision));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => SaveError::Conflict,
                _ => store_error(error).into(),
            }),
        }
    }
}
