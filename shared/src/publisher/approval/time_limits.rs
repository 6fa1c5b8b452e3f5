//! How much of Microsoft's ten seconds the product gets.

use std::time::Duration;

use crate::host::deadline::WEBHOOK_TIME;

/// How long we wait for the product. A product that has to ask another system first should not do
/// so within Microsoft's ten seconds. If this were longer, a product that hangs would cost its own
/// customers that time.
pub const PRODUCT_TIMEOUT: Duration = Duration::from_secs(3);

/// How much of the [webhook's time](WEBHOOK_TIME) the product never gets: one attempt of
/// the acknowledgement, and the transaction. With less, a slow product could cost the answer to
/// Microsoft.
pub const RESERVED_FOR_ACK: Duration = Duration::from_millis(2500);

/// With less time than this the product is not asked: a new connection alone takes as long.
pub const MIN_PRODUCT_TIME: Duration = Duration::from_millis(250);

// The time before the product is asked, with everything as slow as it may be: Entra's signing keys,
// then a token and the operation, each attempted for 1.5 s, with a second attempt of the keys and
// the operation after 0.6 s (`RetryPolicy::WITHIN_WEBHOOK`). Even then the product gets some time.
const SLOWEST_START: Duration = Duration::from_millis(2100 + 3600);
const _: () = assert!(
    SLOWEST_START.as_millis() + MIN_PRODUCT_TIME.as_millis() + RESERVED_FOR_ACK.as_millis()
        <= WEBHOOK_TIME.as_millis().unsigned_abs()
);

/// How long the product may take when this much of the webhook's time is left.
pub(super) fn time_for_product(left: Option<Duration>) -> Option<Duration> {
    let Some(left) = left else { return Some(PRODUCT_TIMEOUT) };
    let time = left.saturating_sub(RESERVED_FOR_ACK).min(PRODUCT_TIMEOUT);
    (time >= MIN_PRODUCT_TIME).then_some(time)
}
