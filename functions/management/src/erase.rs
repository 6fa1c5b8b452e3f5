//! Erases the personal data of an ended subscription. Microsoft is not asked.

use shared::domain::{Cause, ErasureRefused, SubscriptionId};
use shared::flows::erasure::ErasureError;
use shared::host::http::{Principal, Problem, Request, Response};

use crate::Management;
use crate::error_code::ErrorCode;
use crate::if_match::{self, IfMatch};
use crate::problem::{store_problem, update_problem};

impl Management {
    /// A repetition changes nothing and gets the same answer, also under the `ETag` of the record before it
    /// (RFC 9110, 13.1.1). So it needs no idempotency key.
    pub(crate) async fn erase(
        &self,
        id: SubscriptionId,
        request: &Request,
    ) -> Result<Response, Problem> {
        let if_match = IfMatch::of(request)?;
        let record = self.record(id).await?;
        if !record.is_erased() {
            if_match.check(&record)?;
        }
        let cause = Cause::Management { principal: Principal::of(request) };
        let erased = self.erasure.erase(record, &cause, |it| if_match.check(it).is_ok()).await;
        Ok(if_match::answer(request, &erased.map_err(problem)?, None))
    }
}

fn problem(error: ErasureError) -> Problem {
    match error {
        ErasureError::Refused(refused) => {
            let code = match refused {
                ErasureRefused::NotEnded => ErrorCode::NotEnded,
                ErasureRefused::TooEarly { .. } => ErrorCode::TooEarly,
                ErasureRefused::Undelivered => ErrorCode::UndeliveredEvents,
            };
            code.with(refused.to_string())
        }
        ErasureError::Overtaken => ErrorCode::VersionMismatch
            .with("the record has changed; look at it before asking again"),
        ErasureError::Update(error) => update_problem(error),
        ErasureError::Store(error) => store_problem(error),
    }
}
