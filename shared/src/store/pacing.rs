//! How fast events may be sent to a target.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{StoreError, Target};

/// The table, as a delivery with a rate limit sees it. Concurrent deliveries share the time of a target:
/// each reserves a part of it, and sends in that part alone.
#[async_trait]
pub trait Pacing: Send + Sync {
    /// Reserves the next free time of this length, and returns when it begins: not before `from`. `None`:
    /// it would begin at `until` or later, or other deliveries kept reserving. Then nothing is reserved.
    ///
    /// MUST never reserve the same time twice.
    async fn reserve(
        &self,
        target: Target,
        from: Timestamp,
        until: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>, StoreError>;
}
