//! How the pages of each offer look and what they ask: the settings, under what the table has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::config::{Branding, OfferBranding, Offers, Retention};
use shared::domain::Subscription;
use shared::host::clock::Clock;
use shared::host::deadline::with_limit;
use shared::store::{OfferSettings, StoredOffers};
use tokio::sync::Mutex;
use tracing::warn;

use crate::assets::Assets;
use crate::brand::Brand;

/// The pages' looks at one time.
pub(crate) struct Brands {
    pub(crate) assets: Assets,
    /// Of every offer without settings of its own, and of pages that belong to no offer.
    pub(crate) deployment: Brand,
    by_offer: BTreeMap<String, Brand>,
}

impl Brands {
    fn new(branding: &Branding, offers: &Offers, retention: Option<Retention>) -> Self {
        let mut assets = Assets::new();
        let mut brand = |offer: &OfferBranding| Brand::new(branding, offer, retention, &mut assets);
        Self {
            deployment: brand(&OfferBranding::default()),
            by_offer: offers.iter().map(|(id, offer)| (id.to_owned(), brand(offer))).collect(),
            assets,
        }
    }

    pub(crate) fn of(&self, subscription: &Subscription) -> &Brand {
        self.by_offer.get(subscription.public_offer()).unwrap_or(&self.deployment)
    }
}

/// For how long the table's settings are used before they are read again.
const CACHE_TIME: SignedDuration = SignedDuration::from_mins(1);

/// The same after a read that failed.
const RETRY_TIME: SignedDuration = SignedDuration::from_secs(5);

/// How long a page waits for the table's settings. It has others.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The looks as the table has them now, kept for a while.
pub(crate) struct CurrentBrands {
    table: Arc<dyn OfferSettings>,
    clock: Arc<dyn Clock>,
    branding: Branding,
    retention: Option<Retention>,
    /// Locked during a read, so that visits at the same time share it.
    known: Mutex<Known>,
}

struct Known {
    brands: Arc<Brands>,
    stored: StoredOffers,
    next_read: Timestamp,
}

impl CurrentBrands {
    pub(crate) fn new(
        table: Arc<dyn OfferSettings>,
        clock: Arc<dyn Clock>,
        branding: Branding,
        retention: Option<Retention>,
    ) -> Self {
        let brands = Arc::new(Brands::new(&branding, &branding.offers, retention));
        let stored = StoredOffers::default();
        let known = Mutex::new(Known { brands, stored, next_read: Timestamp::MIN });
        Self { table, clock, branding, retention, known }
    }

    /// If the table doesn't answer, those of its last answer, or of the settings alone.
    pub(crate) async fn get(&self) -> Arc<Brands> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if now < known.next_read {
            return known.brands.clone();
        }
        let read = with_limit(now, LONGEST_WAIT, self.table.offers()).await;
        let pause = match read {
            Ok(stored) => {
                if stored != known.stored {
                    let offers = Offers::read_stored(&stored.offers).over(&self.branding.offers);
                    known.brands = Arc::new(Brands::new(&self.branding, &offers, self.retention));
                    known.stored = stored;
                }
                CACHE_TIME
            }
            Err(error) => {
                warn!(
                    %error, class = error.class().name(),
                    "could not read the settings of offers; pages use the last ones"
                );
                RETRY_TIME
            }
        };
        known.next_read = now + pause;
        known.brands.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex as Lock, PoisonError};

    use async_trait::async_trait;
    use serde_json::json;
    use shared::host::environment::Environment;
    use shared::store::{SaveError, StoreError};
    use uuid::Uuid;

    use super::*;

    /// A table with one answer, which counts its reads and lets others run meanwhile.
    #[derive(Default)]
    struct Table {
        stored: Lock<Option<StoredOffers>>,
        reads: AtomicUsize,
    }

    impl Table {
        fn answers(&self, accent: Option<&str>) {
            let stored = accent.map(|accent| StoredOffers {
                revision: 1,
                offers: json!({ "fleet": { "accent": accent } })
                    .as_object()
                    .expect("an object")
                    .clone(),
            });
            *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = stored;
        }
    }

    #[async_trait]
    impl OfferSettings for Table {
        async fn offers(&self) -> Result<StoredOffers, StoreError> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone();
            stored.ok_or_else(|| StoreError::unavailable("the table is away"))
        }

        async fn save_offers(&self, _: &StoredOffers) -> Result<(), SaveError> {
            Err(SaveError::Conflict)
        }
    }

    #[derive(Debug, Default)]
    struct Moved(Lock<SignedDuration>);

    #[async_trait]
    impl Clock for Moved {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + *self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        async fn sleep(&self, _: Duration) {}

        fn new_id(&self) -> Uuid {
            Uuid::nil()
        }
    }

    impl Moved {
        fn advance(&self, seconds: i64) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) +=
                SignedDuration::from_secs(seconds);
        }
    }

    const SETTING: &str = r##"{"fleet":{"accent":"#000001"}}"##;

    fn brands() -> (Arc<Table>, Arc<Moved>, CurrentBrands) {
        let (table, clock) = (Arc::new(Table::default()), Arc::new(Moved::default()));
        let settings = |name: &str| (name == "LANDING_OFFERS").then(|| SETTING.to_owned());
        let branding = Branding::read(&Environment::from_fn(settings)).expect("settings");
        let brands = CurrentBrands::new(table.clone(), clock.clone(), branding, None);
        (table, clock, brands)
    }

    async fn has_accent(brands: &CurrentBrands, accent: &str) -> bool {
        let brands = brands.get().await;
        let style = &brands.by_offer.get("fleet").expect("the offer").style;
        style.starts_with(&format!(":root{{--accent:{accent};"))
    }

    #[tokio::test]
    async fn a_table_that_does_not_answer_leaves_the_last_answer_or_else_the_setting() {
        let (table, clock, brands) = brands();
        assert!(has_accent(&brands, "#000001").await);
        table.answers(Some("#000002"));
        assert!(has_accent(&brands, "#000001").await, "it is asked again after five seconds");
        clock.advance(5);
        assert!(has_accent(&brands, "#000002").await);
        table.answers(None);
        clock.advance(60);
        assert!(has_accent(&brands, "#000002").await);
        table.answers(Some("#000003"));
        clock.advance(4);
        assert!(has_accent(&brands, "#000002").await);
        clock.advance(1);
        assert!(has_accent(&brands, "#000003").await);
    }

    #[tokio::test]
    async fn visits_of_a_minute_share_one_read() {
        let (table, clock, brands) = brands();
        table.answers(Some("#000002"));
        let (one, other) =
            tokio::join!(has_accent(&brands, "#000002"), has_accent(&brands, "#000002"));
        assert!(one && other);
        clock.advance(59);
        brands.get().await;
        assert_eq!(table.reads.load(Ordering::SeqCst), 1);
        clock.advance(1);
        brands.get().await;
        assert_eq!(table.reads.load(Ordering::SeqCst), 2);
    }
}
