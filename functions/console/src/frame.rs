//! The frame of every page: who is signed in, where they are, and what was just done.

use std::sync::LazyLock;

use jiff::Timestamp;
use shared::sign_in::Staff;
use shared::web::{self, Colour};

use crate::act::Act;
use crate::routes;

/// The style sheet of every page, in it: a page needs no second request to look right.
pub(crate) static STYLE: LazyLock<String> = LazyLock::new(|| {
    format!("{}{}", web::style(Colour::DEFAULT_ACCENT), include_str!("../templates/style.css"))
});

/// The pages of the navigation, with their names.
const TABS: [(&str, &str); 6] = [
    (routes::NEEDS_YOU, "Needs you"),
    (routes::SUBSCRIPTIONS, "Subscriptions"),
    (routes::DELIVERIES, "Deliveries"),
    (routes::RECONCILIATION, "Reconciliation"),
    (routes::OFFERS, "Offers and plans"),
    (routes::HEALTH, "Health"),
];

#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) staff: &'a Staff,
    /// What the console is called.
    pub(crate) console: &'a str,
    /// The page of the navigation that this one is, or belongs to.
    pub(crate) here: &'static str,
    pub(crate) now: Timestamp,
    /// A sentence about what was done just before.
    pub(crate) done: Option<&'static str>,
}

impl Frame<'_> {
    pub(crate) fn style(&self) -> &'static str {
        &STYLE
    }

    pub(crate) fn tabs(&self) -> [(&'static str, &'static str); 6] {
        TABS
    }

    pub(crate) fn may(&self, act: Act) -> bool {
        self.staff.role.permits(act.role())
    }

    /// Who is signed in, and as what.
    pub(crate) fn who(&self) -> String {
        let Staff { name, user_name, role, .. } = self.staff;
        let name = if name.trim().is_empty() { user_name } else { name };
        format!("{name} · {role}")
    }
}
