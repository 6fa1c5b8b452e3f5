//! The last examination, in DynamoDB.

use async_trait::async_trait;

use super::DynamoDbStore;
use crate::store::item;
use crate::store::{Examination, Examinations, StoreError};

#[async_trait]
impl Examinations for DynamoDbStore {
    async fn last_examination(&self) -> Result<Option<Examination>, StoreError> {
        self.get(item::examination_key()).await?.map(item::body).transpose()
    }

    async fn save_examination(&self, examination: &Examination) -> Result<(), StoreError> {
        self.put(item::examination(examination)?).await
    }
}
