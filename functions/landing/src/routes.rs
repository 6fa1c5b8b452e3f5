//! The routes of the landing page. Its assets are not among them.

use http::Method;

/// The purchase: Microsoft's link leads here, and the buyer confirms here.
pub(crate) const PURCHASE: &str = "/landing";

/// Where a customer changes or cancels a subscription.
pub(crate) const MANAGE: &str = "/landing/manage";

/// Signs the visitor in again, for the purchase in the cookies.
pub(crate) const SIGN_IN: &str = "/landing/sign-in";

/// Signs the visitor in to the directory that the purchase was made in.
pub(crate) const SIGN_IN_AS_GUEST: &str = "/landing/sign-in/organization";

/// Ends the session. Afterwards, it says so.
pub(crate) const SIGN_OUT: &str = "/landing/sign-out";

/// The redirect URI, as the app registration at Entra names it.
pub(crate) const SIGNED_IN: &str = "/landing/signed-in";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Purchase,
    Manage,
    SignIn,
    SignInAsGuest,
    SignedIn,
    SignOut,
}

impl Route {
    /// `None` if the landing page does not have this path, or not with this method.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let route = match path {
            PURCHASE => Self::Purchase,
            MANAGE => Self::Manage,
            SIGN_IN => Self::SignIn,
            SIGN_IN_AS_GUEST => Self::SignInAsGuest,
            SIGNED_IN => Self::SignedIn,
            SIGN_OUT => Self::SignOut,
            _ => return None,
        };
        let has_form = matches!(route, Self::Purchase | Self::Manage | Self::SignOut);
        (*method == Method::GET || has_form && *method == Method::POST).then_some(route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_a_page_and_only_those_with_a_form_accept_a_post() {
        for (path, get, post) in [
            (PURCHASE, Some(Route::Purchase), Some(Route::Purchase)),
            (MANAGE, Some(Route::Manage), Some(Route::Manage)),
            (SIGN_IN, Some(Route::SignIn), None),
            (SIGN_IN_AS_GUEST, Some(Route::SignInAsGuest), None),
            (SIGNED_IN, Some(Route::SignedIn), None),
            (SIGN_OUT, Some(Route::SignOut), Some(Route::SignOut)),
            ("/landing/", None, None),
            ("/", None, None),
        ] {
            assert_eq!(Route::of(&Method::GET, path), get, "{path}");
            assert_eq!(Route::of(&Method::POST, path), post, "{path}");
            assert_eq!(Route::of(&Method::HEAD, path), None, "{path}");
        }
    }
}
