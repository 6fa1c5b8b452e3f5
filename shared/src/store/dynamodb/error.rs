//! The AWS SDK's errors in the store's words.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::iter::successors;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

use crate::store::{CommitError, StoreError};

/// What cancelled a transaction: a condition, or the table's limits. The mark, where there is one, is
/// its first item.
pub(super) fn cancelled(
    error: &SdkError<TransactWriteItemsError>,
    marked: bool,
) -> Option<CommitError> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let reasons = cancelled.cancellation_reasons().iter();
    let reasons: Vec<_> = reasons.map(|reason| reason.code().unwrap_or_default()).collect();
    if marked && reasons.first() == Some(&"ConditionalCheckFailed") {
        return Some(CommitError::AlreadyMarked);
    }
    let is_conflict =
        |code: &&str| matches!(*code, "ConditionalCheckFailed" | "TransactionConflict");
    if reasons.iter().any(is_conflict) {
        return Some(CommitError::Conflict);
    }
    let throttled = reasons.into_iter().find(|code| is_throttling(code))?;
    Some(StoreError::Throttled { code: throttled.to_owned() }.into())
}

/// When a list continues from a position, a key that the table rejects is the caller's fault.
pub(super) fn list_error<E, R>(error: SdkError<E, R>, next: Option<&str>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Debug + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    match error.code() {
        Some("ValidationException") if next.is_some() => StoreError::BadPosition,
        _ => store_error(error),
    }
}

pub(super) fn store_error<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Debug + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let code = match &error {
        SdkError::ServiceError(_) => error.code().unwrap_or_default(),
        SdkError::ConstructionFailure(_) => "the request could not be built",
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "not reached",
        _ => "no usable answer",
    };
    let code = code.to_owned();
    if is_throttling(&code) {
        return StoreError::Throttled { code };
    }
    let message = error.message().map(str::to_owned);
    let refused = matches!(error, SdkError::ConstructionFailure(_)) || is_refusal(&code);
    // Without the raw answer, which may hold a record.
    let source = error.into_source().ok();
    if let Some(reason) = source.as_deref().and_then(|source| without_credentials(source)) {
        return StoreError::Unavailable { code: format!("no credentials: {reason}"), source };
    }
    match source {
        Some(source) if refused => {
            let message = message.unwrap_or_else(|| source.to_string());
            StoreError::Refused { code, message, source }
        }
        source => StoreError::Unavailable { code, source },
    }
}

/// Why there are no credentials of AWS's to sign the request with, if that is the cause.
fn without_credentials(error: &(dyn StdError + 'static)) -> Option<String> {
    let causes = || successors(Some(error), |&error| error.source());
    causes().find(|cause| cause.is::<CredentialsError>())?;
    causes().last().map(ToString::to_string)
}

/// The codes of errors, and of the reasons for which a transaction was cancelled.
fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingError"
            | "ThrottlingException"
    )
}

fn is_refusal(code: &str) -> bool {
    matches!(
        code,
        "ResourceNotFoundException"
            | "ValidationException"
            | "AccessDeniedException"
            | "UnrecognizedClientException"
            | "IncompleteSignature"
            | "InvalidSignatureException"
    )
}

pub(super) fn unbuilt(error: BuildError) -> StoreError {
    StoreError::Refused {
        code: "the request could not be built".to_owned(),
        message: error.to_string(),
        source: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::query::QueryError;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::host::retry::Transient as _;

    #[test]
    fn a_refusal_that_the_sdk_does_not_model_keeps_awss_words() {
        let metadata = ErrorMetadata::builder()
            .code("AccessDeniedException")
            .message("User: portal is not authorized to perform: dynamodb:Query")
            .build();
        let status = 400.try_into().expect("a status");
        let answer = HttpResponse::new(status, SdkBody::empty());
        let error = store_error(SdkError::service_error(QueryError::generic(metadata), answer));
        assert!(!error.is_transient());
        assert_eq!(
            error.to_string(),
            "the table refused the request: AccessDeniedException: \
             User: portal is not authorized to perform: dynamodb:Query"
        );
    }
}
