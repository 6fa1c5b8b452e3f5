//! The pace of a target, in DynamoDB.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::DynamoDbStore;
use crate::store::item::{self, Paced, number};
use crate::store::{CommitError, Pacing, StoreError, Target};

/// How often we try to reserve. Each conflict is another delivery's success, so a delivery that loses this
/// often has many others beside it, which send meanwhile.
const ATTEMPTS: u32 = 10;

#[async_trait]
impl Pacing for DynamoDbStore {
    async fn reserve(
        &self,
        target: Target,
        from: Timestamp,
        until: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>, StoreError> {
        for _ in 0..ATTEMPTS {
            let found = self.get(item::pace_key(target)).await?;
            let found: Option<Paced> = found.map(item::body).transpose()?;
            let begins = found.as_ref().map_or(from, |paced| paced.free_from.max(from));
            if begins >= until {
                return Ok(None);
            }
            let expected = found.map_or(0, |paced| paced.revision);
            let paced = Paced { revision: expected + 1, free_from: begins + length };
            let put = self.client.put_item().set_item(Some(item::pace(target, &paced)?));
            let put = put
                .condition_expression("attribute_not_exists(#pk) OR #version = :expected")
                .expression_attribute_names("#pk", item::PARTITION)
                .expression_attribute_names("#version", item::VERSION)
                .expression_attribute_values(":expected", number(expected));
            match self.put_if(put).await {
                Ok(()) => return Ok(Some(begins)),
                Err(CommitError::Conflict | CommitError::AlreadyMarked) => {}
                Err(CommitError::Store(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}
