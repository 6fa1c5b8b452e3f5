//! Says once an hour how long the credentials last.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use shared::microsoft::entra::{CredentialEnd, EndingCredential};
use tracing::{info, warn};

/// The least time between two looks. Shorter than the schedule's hour, whose runs begin some seconds
/// early or late; longer than a run's slices and retries.
const PAUSE: SignedDuration = SignedDuration::from_mins(50);

pub(crate) struct CredentialWatch {
    credentials: Vec<EndingCredential>,
    looked_at: Mutex<Option<Timestamp>>,
}

impl CredentialWatch {
    pub(crate) fn new(credentials: Vec<EndingCredential>) -> Self {
        Self { credentials, looked_at: Mutex::default() }
    }

    /// Logs the ends that are known, unless this process did so within the last hour. The metric is
    /// the end that comes first: it has no dimension for the credential, which would be a metric of
    /// its own for each.
    pub(crate) async fn look(&self, now: Timestamp) {
        if self.looked_at().is_some_and(|before| now.duration_since(before) < PAUSE) {
            return;
        }
        let (ends, all_read) = self.ends().await;
        for end in ends.iter().filter(|end| end.is_near(now)) {
            warn!(
                credential.name = end.name, ends_at = %end.at, days_left = end.days_left(now),
                "a credential ends soon or has ended; renew it, and the date of its end"
            );
        }
        // The one that could not be read may be the one that ends first. The next slice tries again.
        if !all_read {
            return;
        }
        *self.looked_at() = Some(now);
        if let Some(first) = ends.iter().min_by_key(|end| end.at) {
            let days_left = first.days_left(now);
            info!(
                credential.name = first.name, ends_at = %first.at, days_left,
                metric = "credential_days_left", value = days_left,
                "the credential that ends first"
            );
        }
    }

    fn looked_at(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.looked_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ends that are written somewhere, and whether all of them could be read.
    async fn ends(&self) -> (Vec<CredentialEnd>, bool) {
        let (mut ends, mut all_read) = (Vec::new(), true);
        for credential in &self.credentials {
            match credential.end().await {
                Ok(end) => ends.extend(end),
                Err(error) => {
                    all_read = false;
                    let class = error.class();
                    warn!(
                        credential.name = credential.name, %error, class = class.name(),
                        metric = class.metric(), "could not read when a credential ends"
                    );
                }
            }
        }
        (ends, all_read)
    }
}
