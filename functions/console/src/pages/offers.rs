//! Offers and plans, as last seen through subscriptions, with the rules that apply to changes.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use futures_util::future::join_all;
use http::StatusCode;
use shared::domain::Status;
use shared::host::http::Response;
use shared::microsoft::fulfillment::{Marketplace, Plan};
use shared::store::{ListBy, ListQuery, Sort};
use tracing::warn;

use super::{Pages, shown};
use crate::api::Refusal;
use crate::frame::Frame;

/// The most offers whose plans Microsoft is asked for. Each is a call.
const MOST_OFFERS: usize = 8;

struct Offer {
    id: String,
    plans: Vec<Line>,
    /// Why Microsoft's list of plans is not here.
    missing: Option<&'static str>,
}

/// A plan of an offer.
struct Line {
    id: String,
    name: String,
    /// How many of the subscriptions that were looked at have it.
    seen: usize,
    seats: String,
    notes: String,
}

impl Line {
    /// Whether the id says more than the name.
    fn shows_id(&self) -> bool {
        !self.name.eq_ignore_ascii_case(&self.id)
    }
}

#[derive(Template)]
#[template(path = "offers.html")]
struct OffersPage<'a> {
    frame: Frame<'a>,
    offers: Vec<Offer>,
    looked_at: usize,
    rules: &'a [(&'static str, String)],
}

impl Pages<'_> {
    pub(crate) async fn offers(
        self,
        rules: &[(&'static str, String)],
        marketplace: &dyn Marketplace,
    ) -> Result<Response, Refusal> {
        let query = ListQuery::by(ListBy::Sort(Sort::LastChange));
        let found = self.table.store.list(&query, None).await?.items;
        let mut offers = BTreeMap::<_, Vec<_>>::new();
        for record in &found {
            offers
                .entry(record.subscription.offer_id.as_str())
                .or_default()
                .push(&record.subscription);
        }
        // Microsoft shows an offer's plans to one of its subscriptions, unless it has ended (F-PLN-6).
        let asked = offers.iter().take(MOST_OFFERS).map(async |(offer, subscriptions)| {
            let running = |status: &Status| *status != Status::Unsubscribed;
            let one = subscriptions.iter().find(|one| running(&one.saas_subscription_status));
            let plans = match one {
                Some(one) => {
                    let plans = marketplace.list_available_plans(one.id, None).await;
                    plans.map_err(|error| {
                        warn!(%error, class = error.class().name(), "could not read plans");
                        "Microsoft's list can't be read now."
                    })
                }
                None => Err("Each of these subscriptions has ended, so Microsoft no longer lists its plans."),
            };
            let (plans, missing) = match plans {
                Ok(plans) => (plans, None),
                Err(missing) => (Vec::new(), Some(missing)),
            };
            let ids = plans.iter().filter_map(|plan| plan.plan_id.as_deref());
            let ids: BTreeSet<&str> =
                ids.chain(subscriptions.iter().map(|one| &*one.plan_id)).collect();
            let line = |id: &str| {
                let seen = subscriptions.iter().filter(|one| one.plan_id == id).count();
                line(id, Plan::find(&plans, id), seen)
            };
            Offer { id: (*offer).to_owned(), plans: ids.into_iter().map(line).collect(), missing }
        });
        let page = OffersPage {
            offers: join_all(asked).await,
            looked_at: found.len(),
            frame: self.frame,
            rules,
        };
        Ok(shown(StatusCode::OK, &page))
    }
}

fn line(id: &str, plan: Option<&Plan>, seen: usize) -> Line {
    let Some(plan) = plan else {
        let (name, seats) = (String::new(), "–".to_owned());
        let notes = "not offered for a plan change".to_owned();
        return Line { id: id.to_owned(), name, seen, seats, notes };
    };
    let notes = [
        (plan.is_private, "private"),
        (plan.is_stop_sell, "no longer sold"),
        (plan.has_free_trials, "free trial"),
    ];
    let notes: Vec<_> =
        notes.into_iter().filter(|(is, _)| *is == Some(true)).map(|(_, note)| note).collect();
    Line {
        id: id.to_owned(),
        name: plan.display_name.clone().unwrap_or_default(),
        seen,
        seats: match (plan.is_price_per_seat, plan.min_quantity, plan.max_quantity) {
            (Some(true), Some(least), Some(most)) => format!("{least}–{most}"),
            (Some(true), _, _) => "per seat".to_owned(),
            _ => "no seats (flat rate)".to_owned(),
        },
        notes: if notes.is_empty() { "–".to_owned() } else { notes.join(", ") },
    }
}
