//! The other subscriptions of the same person.

use std::pin::Pin;
use std::time::Duration;

use shared::domain::{MatchedBy, Record, Role, SearchTerm, Status, Subscription, identify};
use shared::host::deadline::with_limit;
use shared::store::{ListBy, ListQuery};
use tracing::warn;

use crate::purchase::{Opened, Purchases, Visitor};

/// A page is no place to look for one among more.
const MOST_OTHERS: u8 = 20;

/// How long a page waits for them, since it can do without.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

impl Purchases {
    /// The other subscriptions that have not ended and for which Microsoft names this very account, by name.
    /// They are looked for by the address that Microsoft has of the person, which alone identifies nobody
    /// (F-LP-9).
    ///
    /// On the heap: every visit holds this future.
    pub(crate) fn others<'a>(
        &'a self,
        opened: &'a Opened,
    ) -> Pin<Box<dyn Future<Output = Vec<Subscription>> + Send + 'a>> {
        Box::pin(self.look_for_others(opened))
    }

    async fn look_for_others(&self, opened: &Opened) -> Vec<Subscription> {
        let Some(visitor) = opened.visitor.filter(is_named) else { return Vec::new() };
        let subscription = &opened.record.subscription;
        let party = match visitor.identification.role {
            Role::Beneficiary => &subscription.beneficiary,
            Role::Purchaser => &subscription.purchaser,
        };
        let Some(term) = party.email_id.as_deref().and_then(SearchTerm::of) else {
            return Vec::new();
        };
        let query = ListQuery { limit: MOST_OTHERS, ..ListQuery::by(ListBy::Search(term)) };
        let now = opened.now;
        let found = match with_limit(now, LONGEST_WAIT, self.store.list(&query, None)).await {
            Ok(page) => page.items,
            Err(error) => {
                warn!(
                    %error, class = error.class().name(),
                    "a page shows no other subscriptions of the person"
                );
                return Vec::new();
            }
        };
        let is_theirs = |record: &Record| {
            let found = identify(&record.subscription, &visitor.account);
            found.is_some_and(|found| found.matched_by == MatchedBy::TenantAndObject)
        };
        let mut others: Vec<Subscription> = found
            .into_iter()
            .filter(|record| record.id() != subscription.id)
            .filter(|record| *record.status() != Status::Unsubscribed)
            .filter(is_theirs)
            .map(|record| record.subscription)
            .collect();
        others.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        others
    }
}

/// Whether Microsoft names the visitor, and not their directory alone.
fn is_named(visitor: &Visitor) -> bool {
    visitor.identification.matched_by == MatchedBy::TenantAndObject
}
