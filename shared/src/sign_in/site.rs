//! What differs between the pages that people sign in to.

use std::time::Duration;

use super::cookie::CookieNames;

/// A page that people sign in to, such as the landing page.
#[derive(Debug)]
pub struct Site {
    /// For logs, as in "the landing page's application".
    pub name: &'static str,
    pub cookies: CookieNames,
    /// Part of what the cookies' key is derived from, so that no page opens another page's cookies. No page's
    /// purpose begins another page's. If it changes, browsers' cookies can't be opened.
    pub cookie_key_purpose: &'static [u8],
    /// The setting that the cookies' key is derived from, for logs.
    pub cookie_key_setting: &'static str,
    /// The path of the redirect URI, as the app registration at Entra names it.
    pub redirect_path: &'static str,
    /// How long browsers keep the session's cookie, and for how long what the visitor came with is kept
    /// after a sign-in that came to nothing.
    pub cookie_lifetime: Duration,
}
