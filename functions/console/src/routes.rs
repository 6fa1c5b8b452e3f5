//! The addresses of the console.

use http::Method;
use shared::domain::SubscriptionId;

use crate::act::{Act, Area};

pub(crate) const NEEDS_YOU: &str = "/console";
pub(crate) const SUBSCRIPTIONS: &str = "/console/subscriptions";
pub(crate) const CSV: &str = "/console/subscriptions.csv";
pub(crate) const DELIVERIES: &str = "/console/deliveries";
pub(crate) const RECONCILIATION: &str = "/console/reconciliation";
pub(crate) const HEALTH: &str = "/console/health";
/// Examines the deployment anew.
pub(crate) const EXAMINE: &str = "/console/health/examine";
pub(crate) const OFFERS: &str = "/console/offers";

/// The redirect URI, as the app registration at Entra names it.
pub(crate) const SIGNED_IN: &str = "/console/signed-in";
/// Signs in with another account.
pub(crate) const SIGN_IN: &str = "/console/sign-in";
pub(crate) const SIGN_OUT: &str = "/console/sign-out";
pub(crate) const SIGNED_OUT: &str = "/console/signed-out";

/// The last segment of the address of a subscription's file.
const DATA: &str = "data.json";

const TEST_EVENTS: &str = "/console/deliveries/test-events/";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    NeedsYou,
    Subscriptions,
    Csv,
    Subscription(SubscriptionId),
    /// Everything that is kept about it, as a file.
    Data(SubscriptionId),
    Deliveries,
    /// The test event with this id.
    TestEvent(String),
    Reconciliation,
    Health,
    Examine,
    Offers,
    /// What is done about one subscription, or about the deployment.
    Act(Act, Option<SubscriptionId>),
    SignIn,
    SignedIn,
    SignOut,
    SignedOut,
}

impl Route {
    /// `None` if the console does not have this path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Some(match path {
            NEEDS_YOU => Self::NeedsYou,
            SUBSCRIPTIONS => Self::Subscriptions,
            CSV => Self::Csv,
            DELIVERIES => Self::Deliveries,
            RECONCILIATION => Self::Reconciliation,
            HEALTH => Self::Health,
            EXAMINE => Self::Examine,
            OFFERS => Self::Offers,
            SIGN_IN => Self::SignIn,
            SIGNED_IN => Self::SignedIn,
            SIGNED_OUT => Self::SignedOut,
            SIGN_OUT => Self::SignOut,
            _ => return Self::below(path),
        })
    }

    fn below(path: &str) -> Option<Self> {
        if let Some(id) = path.strip_prefix(TEST_EVENTS) {
            return (!id.contains('/')).then(|| Self::TestEvent(id.to_owned()));
        }
        let (page, last) = path.rsplit_once('/')?;
        if page == SUBSCRIPTIONS {
            return last.parse().ok().map(Self::Subscription);
        }
        if let Some(id) = page.strip_prefix(SUBSCRIPTIONS).and_then(|rest| rest.strip_prefix('/')) {
            let id = id.parse().ok()?;
            return Some(match last {
                DATA => Self::Data(id),
                name => Self::Act(Act::named(Area::Subscription, name)?, Some(id)),
            });
        }
        let area = match page {
            DELIVERIES => Area::Deliveries,
            RECONCILIATION => Area::Reconciliation,
            _ => return None,
        };
        Some(Self::Act(Act::named(area, last)?, None))
    }

    /// The methods that the address serves, as the header `Allow` lists them.
    pub(crate) fn allow(&self) -> &'static str {
        match self {
            Self::Act(..) => "GET, HEAD, POST",
            Self::Examine | Self::SignOut => "POST",
            // A `HEAD`, which programs send that look at links, would use up Entra's code.
            Self::SignedIn => "GET",
            Self::NeedsYou
            | Self::Subscriptions
            | Self::Csv
            | Self::Subscription(_)
            | Self::Data(_)
            | Self::Deliveries
            | Self::TestEvent(_)
            | Self::Reconciliation
            | Self::Health
            | Self::Offers
            | Self::SignIn
            | Self::SignedOut => "GET, HEAD",
        }
    }

    /// The page of the navigation that it is, or belongs to.
    pub(crate) fn tab(&self) -> &'static str {
        match self {
            Self::NeedsYou | Self::SignIn | Self::SignedIn | Self::SignOut | Self::SignedOut => {
                NEEDS_YOU
            }
            Self::Subscriptions | Self::Csv | Self::Subscription(_) | Self::Data(_) => {
                SUBSCRIPTIONS
            }
            Self::Deliveries | Self::TestEvent(_) => DELIVERIES,
            Self::Reconciliation => RECONCILIATION,
            Self::Health | Self::Examine => HEALTH,
            Self::Offers => OFFERS,
            Self::Act(act, _) => match act.area() {
                Area::Subscription => SUBSCRIPTIONS,
                Area::Deliveries => DELIVERIES,
                Area::Reconciliation => RECONCILIATION,
            },
        }
    }

    /// The act with this name whose end this page shows.
    pub(crate) fn done(&self, name: &str) -> Option<Act> {
        let area = match self {
            Self::Subscription(_) => Area::Subscription,
            Self::Deliveries | Self::TestEvent(_) => Area::Deliveries,
            Self::Reconciliation => Area::Reconciliation,
            _ => return None,
        };
        Act::named(area, name)
    }

    pub(crate) fn serves(&self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }
}

/// The page of one subscription.
pub(crate) fn subscription(id: SubscriptionId) -> String {
    format!("{SUBSCRIPTIONS}/{id}")
}

/// The file of everything that is kept about one subscription.
pub(crate) fn data(id: SubscriptionId) -> String {
    format!("{}/{DATA}", subscription(id))
}

/// The page that leads to an act and shows what came of it.
pub(crate) fn page_of(act: Act, id: Option<SubscriptionId>) -> String {
    match (act.area(), id) {
        (Area::Subscription, Some(id)) => subscription(id),
        (Area::Subscription, None) => SUBSCRIPTIONS.to_owned(),
        (Area::Deliveries, _) => DELIVERIES.to_owned(),
        (Area::Reconciliation, _) => RECONCILIATION.to_owned(),
    }
}

/// The label of a link that leads back to a page.
pub(crate) fn back_to(page: &str) -> &'static str {
    match Route::of(page) {
        Some(Route::Subscription(_)) => "Back to the subscription",
        Some(Route::Subscriptions) => "Back to subscriptions",
        Some(Route::Deliveries) => "Back to deliveries",
        Some(Route::Reconciliation) => "Back to the reconciliation",
        Some(Route::Offers) => "Back to offers and plans",
        Some(Route::Health) => "Back to health",
        _ => "Back",
    }
}

/// Where an act is shown before it is done.
pub(crate) fn act(act: Act, id: Option<SubscriptionId>) -> String {
    format!("{}/{}", page_of(act, id), act.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_one_route_and_the_methods_that_it_serves() {
        let id: SubscriptionId = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11".parse().expect("a GUID");
        for (path, route, allow) in [
            ("/console".to_owned(), Some(Route::NeedsYou), "GET, HEAD"),
            ("/console/".to_owned(), Some(Route::NeedsYou), "GET, HEAD"),
            ("/console/subscriptions.csv".to_owned(), Some(Route::Csv), "GET, HEAD"),
            (subscription(id), Some(Route::Subscription(id)), "GET, HEAD"),
            (data(id), Some(Route::Data(id)), "GET, HEAD"),
            (
                act(Act::Cancel, Some(id)),
                Some(Route::Act(Act::Cancel, Some(id))),
                "GET, HEAD, POST",
            ),
            (act(Act::DryRun, None), Some(Route::Act(Act::DryRun, None)), "GET, HEAD, POST"),
            (
                format!("{TEST_EVENTS}7e57-1-0"),
                Some(Route::TestEvent("7e57-1-0".into())),
                "GET, HEAD",
            ),
            ("/console/signed-in".to_owned(), Some(Route::SignedIn), "GET"),
            ("/console/sign-out".to_owned(), Some(Route::SignOut), "POST"),
            ("/console/health/examine".to_owned(), Some(Route::Examine), "POST"),
            ("/console/subscriptions/none".to_owned(), None, ""),
            (format!("{}/run", subscription(id)), None, ""),
            ("/console/deliveries/cancel".to_owned(), None, ""),
            ("/console/reconciliation/run/again".to_owned(), None, ""),
            ("/Console".to_owned(), None, ""),
            ("/landing".to_owned(), None, ""),
            ("/".to_owned(), None, ""),
        ] {
            let found = Route::of(&path);
            assert_eq!(found, route, "{path}");
            assert_eq!(found.map_or("", |route| route.allow()), allow, "{path}");
        }
    }
}
