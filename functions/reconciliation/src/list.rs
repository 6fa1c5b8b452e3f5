//! Microsoft's list of subscriptions, page by page.
//!
//! A place where it can't be continued hides everything behind it. So the run begins it anew, once: the place
//! may have been one of a list that has expired. If it breaks off again, the records that it did not show are
//! looked at [from the table's side](crate::unseen).

use std::collections::HashSet;

use jiff::Timestamp;
use shared::domain::Observation;
use shared::host::error_class::ErrorClass;
use shared::microsoft::fulfillment::{FulfillmentError, Malformed, SubscriptionPage};
use shared::store::{Checkpoint, Difference, Outcome, Round, RunEnd, StoreError};
use thiserror::Error;
use tracing::{error, warn};

use crate::repair::Repaired;
use crate::summary::SliceEnd;
use crate::{Reconciliation, SliceError};

/// How often in a row Microsoft may fail to return the next page.
const MAX_PAGE_FAILURES: u32 = 3;

/// Why the list can't be continued.
#[derive(Debug, Error)]
enum Break {
    #[error(transparent)]
    Page(#[from] FulfillmentError),
    #[error(transparent)]
    Link(#[from] Malformed),
    /// F-LST-8.
    #[error("the list runs in a circle")]
    Circle,
}

impl Break {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Page(error) => error.class(),
            Self::Link(_) | Self::Circle => ErrorClass::MicrosoftUnavailable,
        }
    }
}

impl Reconciliation {
    /// Reads pages until the list or the slice's time ends. `None`: the list can't be read to its end, and
    /// this run does not try it again.
    pub(crate) async fn pages(
        &self,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<Option<SliceEnd>, SliceError> {
        loop {
            // A list begins with its first page, however long Microsoft kept the run waiting for it.
            if checkpoint.pages == 0 {
                checkpoint.begun_at = Some(self.clock.now());
            }
            let page = match self.marketplace.list_subscriptions(checkpoint.next.as_deref()).await {
                Ok(page) => page,
                Err(error) => {
                    self.fail_page(checkpoint, error).await?;
                    if checkpoint.is_in_list() {
                        continue;
                    }
                    return Ok(None);
                }
            };
            self.reconcile(&page, checkpoint, begun).await?;
            checkpoint.pages += 1;
            checkpoint.stuck = 0;
            let broken = match page.next {
                Ok(next) => {
                    checkpoint.next = next;
                    detect_circle(checkpoint).then_some(Break::Circle)
                }
                Err(malformed) => Some(malformed.into()),
            };
            if let Some(broken) = broken {
                self.break_off(checkpoint, &broken).await?;
                if checkpoint.is_in_list() {
                    continue;
                }
                return Ok(None);
            }
            let end = self.end(checkpoint, begun).await?;
            // After every page, so that a killed function loses no more than one.
            self.save(checkpoint).await?;
            if end.is_some() {
                return Ok(end);
            }
        }
    }

    /// Whether the slice ends with this page.
    async fn end(
        &self,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<Option<SliceEnd>, StoreError> {
        if checkpoint.next.is_none() {
            let ended_at = self.clock.now();
            let begun_at = checkpoint.begun_at.unwrap_or(ended_at);
            checkpoint.last_round = Some(Round { begun_at, ended_at });
            self.conclude(checkpoint, RunEnd::List).await?;
            return Ok(Some(SliceEnd::List));
        }
        Ok(self.is_over(begun).then_some(SliceEnd::Time))
    }

    /// A page could not be read. The next slice tries it again, unless Microsoft refused it or has failed at
    /// it for long enough.
    async fn fail_page(
        &self,
        checkpoint: &mut Checkpoint,
        error: FulfillmentError,
    ) -> Result<(), SliceError> {
        if !is_about_the_page(&error) {
            return Err(error.into());
        }
        checkpoint.stuck += 1;
        let refused = matches!(error, FulfillmentError::Refused(_) | FulfillmentError::NotFound(_));
        if refused || checkpoint.stuck >= MAX_PAGE_FAILURES {
            return self.break_off(checkpoint, &error.into()).await;
        }
        self.save(checkpoint).await?;
        Err(error.into())
    }

    /// The list can't be continued here. The first time, it begins anew, unless it breaks off at its beginning.
    /// After that, the run leaves it.
    async fn break_off(
        &self,
        checkpoint: &mut Checkpoint,
        broken: &Break,
    ) -> Result<(), SliceError> {
        let class = broken.class().name();
        let pages = checkpoint.pages;
        if checkpoint.begun_anew || pages == 0 {
            error!(
                error = %broken, class, pages, metric = "list_not_ended",
                "could not read Microsoft's list to its end; reading what it did not show one by one"
            );
            checkpoint.leave_list();
        } else {
            warn!(
                error = %broken, class, pages, metric = "list_restarted",
                "Microsoft's list can't be continued here; beginning it anew"
            );
            checkpoint.begin_anew(self.clock.now());
        }
        self.save(checkpoint).await
    }

    /// Compares the subscriptions of a page with their records.
    async fn reconcile(
        &self,
        page: &SubscriptionPage,
        checkpoint: &mut Checkpoint,
        begun: Timestamp,
    ) -> Result<(), SliceError> {
        let ids: Vec<_> = page.subscriptions.iter().filter_map(Observation::id).collect();
        let mut records = self.store.load_many(&ids).await?;
        let nameless = page.subscriptions.len() - ids.len() + page.unreadable;
        if nameless > 0 {
            error!(
                count = nameless,
                class = ErrorClass::UnknownWord.name(),
                "could not read entries of the list"
            );
            checkpoint.failed += nameless as u64;
            let class = ErrorClass::UnknownWord.name().to_owned();
            *checkpoint.findings.failed_by_class.entry(class).or_default() += nameless as u64;
        }
        let mut met = HashSet::with_capacity(ids.len());
        let mut repairs = Vec::with_capacity(ids.len());
        for observed in &page.subscriptions {
            let Some(id) = observed.id() else { continue };
            // The list can repeat an entry (F-LST-10). Its record has been used up, so it would pass
            // for a new subscription's, whose state is adopted without a read.
            if !met.insert(id) {
                continue;
            }
            let record = records.remove(&id).transpose();
            let since = record.as_ref().ok().and_then(Option::as_ref).map(|known| known.updated_at);
            repairs.push(async move {
                let repaired = match record {
                    Ok(record) => self.repair(id, observed, record, begun).await,
                    Err(corrupt) => Err(corrupt.into()),
                };
                (id, since, repaired)
            });
        }
        for (id, since, repaired) in self.at_once(repairs).await {
            checkpoint.examined += 1;
            match repaired {
                Ok(Repaired::Unchanged) => {}
                Ok(Repaired::Changed(difference)) => {
                    checkpoint.repaired += 1;
                    checkpoint.findings.add(*difference);
                }
                Ok(Repaired::Left(difference)) => {
                    checkpoint.left += 1;
                    checkpoint.findings.add(*difference);
                }
                Err(error) => {
                    let failed = Difference::new(id, since);
                    checkpoint.findings.add(failed.ended(Outcome::Failed, error.class().name()));
                    error!(
                        subscription.id = %id, %error, class = error.class().name(),
                        "could not reconcile a subscription; continuing with the next"
                    );
                    checkpoint.failed += 1;
                }
            }
        }
        // A run without trouble doesn't need to know, and writes nothing.
        if let Some(list) = checkpoint.begun_at.filter(|_| checkpoint.begun_anew) {
            self.checkpoints.note_compared(&ids, list).await?;
        }
        Ok(())
    }
}

/// Whether another page might not fail.
fn is_about_the_page(error: &FulfillmentError) -> bool {
    match error {
        FulfillmentError::Unavailable { refusal, .. } => refusal.status != 429,
        FulfillmentError::Unauthorized(_)
        | FulfillmentError::Misaddressed(_)
        | FulfillmentError::Token(_) => false,
        FulfillmentError::Refused(_)
        | FulfillmentError::NotFound(_)
        | FulfillmentError::Conflict(_)
        | FulfillmentError::Unreachable { .. }
        | FulfillmentError::Malformed(_) => true,
    }
}

/// Whether the list runs in a circle (F-LST-8). It remembers one token only: the token of each page
/// whose number is a power of two becomes the landmark, and a later page with the same token closes the
/// circle.
fn detect_circle(checkpoint: &mut Checkpoint) -> bool {
    let is_circle = checkpoint.next.is_some() && checkpoint.next == checkpoint.landmark;
    if !is_circle && checkpoint.pages.is_power_of_two() {
        checkpoint.landmark.clone_from(&checkpoint.next);
    }
    is_circle
}
