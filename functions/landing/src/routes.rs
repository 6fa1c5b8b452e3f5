//! The routes of the landing page. Its assets are not among them.

use http::Method;

/// The purchase: Microsoft's link leads here, and the buyer confirms here.
pub(crate) const PURCHASE: &str = "/landing";

/// Where a customer changes or cancels a subscription.
pub(crate) const MANAGE: &str = "/landing/manage";

/// Where a buyer goes on to the publisher's own sign-up page.
pub(crate) const HANDOVER: &str = "/landing/continue";

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
    Handover,
    SignIn,
    SignInAsGuest,
    SignedIn,
    SignOut,
}

/// What may be done with a page or an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Methods {
    /// A page without a form, or an asset.
    Look,
    /// A page with a form.
    LookAndSubmit,
    /// The end of a sign-in. A `HEAD`, which programs send that look at links, would use up Entra's
    /// code.
    GetOnly,
}

impl Methods {
    pub(crate) fn contain(self, method: &Method) -> bool {
        match *method {
            Method::GET => true,
            Method::HEAD => self != Self::GetOnly,
            Method::POST => self == Self::LookAndSubmit,
            _ => false,
        }
    }

    /// As the header `Allow` lists them.
    pub(crate) fn allow(self) -> &'static str {
        match self {
            Self::Look => "GET, HEAD",
            Self::LookAndSubmit => "GET, HEAD, POST",
            Self::GetOnly => "GET",
        }
    }
}

impl Route {
    /// `None` if the landing page does not have this path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        Some(match path {
            PURCHASE => Self::Purchase,
            MANAGE => Self::Manage,
            HANDOVER => Self::Handover,
            SIGN_IN => Self::SignIn,
            SIGN_IN_AS_GUEST => Self::SignInAsGuest,
            SIGNED_IN => Self::SignedIn,
            SIGN_OUT => Self::SignOut,
            _ => return None,
        })
    }

    /// The page to look at after this one, such as in another language.
    pub(crate) fn page(self) -> &'static str {
        match self {
            Self::Manage => MANAGE,
            Self::SignOut => SIGN_OUT,
            Self::Handover => HANDOVER,
            Self::Purchase | Self::SignIn | Self::SignInAsGuest | Self::SignedIn => PURCHASE,
        }
    }

    pub(crate) fn methods(self) -> Methods {
        match self {
            Self::Handover | Self::SignIn | Self::SignInAsGuest => Methods::Look,
            Self::Purchase | Self::Manage | Self::SignOut => Methods::LookAndSubmit,
            Self::SignedIn => Methods::GetOnly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_one_route_and_the_methods_that_it_serves() {
        for (path, route, allow) in [
            ("/landing", Some(Route::Purchase), "GET, HEAD, POST"),
            ("/landing/manage", Some(Route::Manage), "GET, HEAD, POST"),
            ("/landing/continue", Some(Route::Handover), "GET, HEAD"),
            ("/landing/sign-in", Some(Route::SignIn), "GET, HEAD"),
            ("/landing/sign-in/organization", Some(Route::SignInAsGuest), "GET, HEAD"),
            ("/landing/signed-in", Some(Route::SignedIn), "GET"),
            ("/landing/sign-out", Some(Route::SignOut), "GET, HEAD, POST"),
            ("/landing/", None, ""),
            ("/landing/sign-in/", None, ""),
            ("/Landing", None, ""),
            ("/", None, ""),
            ("", None, ""),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
            let Some(route) = route else { continue };
            assert_eq!(route.methods().allow(), allow, "{path}");
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"] {
                let served = allow.split(", ").any(|allowed| allowed == method);
                let method = method.parse().expect("a method");
                assert_eq!(route.methods().contain(&method), served, "{method} {path}");
            }
        }
    }
}
