//! The publisher's own reference and metadata, in DynamoDB.

use async_trait::async_trait;

use super::error::{cancelled, store_error, unbuilt};
use super::{DynamoDbStore, READS, put_action};
use crate::domain::{Annotations, SearchField, SubscriptionId};
use crate::store::item::search::search_items;
use crate::store::item::{self, number};
use crate::store::{AnnotationStore, CommitError, SaveError, StoreError};

#[async_trait]
impl AnnotationStore for DynamoDbStore {
    async fn annotations(&self, id: SubscriptionId) -> Result<Option<Annotations>, StoreError> {
        let read = || self.get(item::annotations_key(id));
        let found = self.retries.retry(&*self.clock, &READS, read).await?;
        found.map(item::body).transpose()
    }

    async fn save_annotations(
        &self,
        id: SubscriptionId,
        annotations: &Annotations,
    ) -> Result<(), SaveError> {
        let put = self.put_in_transaction(item::annotations(id, annotations)?);
        let put = match annotations.revision.checked_sub(1).ok_or(SaveError::Conflict)? {
            0 => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION),
            expected => put
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", item::VERSION)
                .expression_attribute_values(":expected", number(expected)),
        };
        let mut actions = vec![put_action(put.build().map_err(unbuilt)?)];
        if annotations.has_new_reference() {
            let term = annotations.search_term();
            let writes = search_items(id, SearchField::Reference, term.as_ref());
            actions.extend(self.field_actions(writes, annotations.revision == 1)?);
        }
        let request = self.client.transact_write_items().set_transact_items(Some(actions));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(match cancelled(&error, false) {
                Some(CommitError::Conflict | CommitError::AlreadyMarked) => SaveError::Conflict,
                Some(CommitError::Store(error)) => error.into(),
                None => store_error(error).into(),
            }),
        }
    }
}
