//! The HTML of the sign-in page.

use crate::people::Person;
use crate::wire::{ApiRequest, Reply};
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(super) fn error_page(code: &str, message: &str) -> Reply {
    let content = html! {
        h1 { "Sorry, but we can't sign you in" }
        p { (code) ": " (message) }
    };
    page(400, &content)
}

/// The emulator keeps no one signed in, so there is nothing to end.
pub(super) fn signed_out_page() -> Reply {
    let content = html! {
        h1 { "You signed out of your account" }
        p { "It's a good idea to close all browser windows." }
    };
    page(200, &content)
}

pub(super) fn account_picker(request: &ApiRequest, people: &[Person]) -> Reply {
    let query = request.query.as_deref().unwrap_or_default();
    let link = |identity: &str| {
        let identity = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("identity", identity)
            .finish();
        format!("?{query}&{identity}")
    };
    let content = html! {
        h1 { "Pick an account" }
        p { "These accounts exist only in the emulator, and have no passwords." }
        ul {
            @for person in people {
                li {
                    a href=(link(&person.email)) {
                        strong { (person.name) }
                        span { (person.email) }
                        small { "Tenant " (person.tenant_id) }
                    }
                }
            }
        }
        p { a.cancel href=(link("cancel")) { "Cancel" } }
    };
    page(200, &content)
}

fn page(status: u16, content: &Markup) -> Reply {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Sign in (emulated)" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    };
    Reply::text(status, "text/html; charset=utf-8", page.into_string())
}

const STYLE: &str = "
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  font: 16px/1.45 system-ui, sans-serif;
  background: light-dark(#eef1f5, #14171c); color: light-dark(#1b2430, #e4e8ee); }
main { width: min(26rem, calc(100vw - 4rem)); padding: 1.5rem; border-radius: 10px;
  background: light-dark(#fff, #1d2229); border: 1px solid light-dark(#d5dbe3, #323a45); }
h1 { margin: 0 0 .5rem; font-size: 1.35rem; }
ul { list-style: none; margin: 1rem 0; padding: 0; }
li a { display: grid; padding: .7rem .8rem; margin-bottom: .5rem; border-radius: 8px;
  text-decoration: none; color: inherit; border: 1px solid light-dark(#d5dbe3, #323a45); }
li a:hover, li a:focus-visible { border-color: light-dark(#0b62c4, #6fb1ff); }
small { opacity: .7; overflow-wrap: anywhere; }
.cancel { color: light-dark(#0b62c4, #6fb1ff); }
";
