//! The pages. Each reads the table at most three times.

mod act;
mod data;
mod deliveries;
mod examined;
mod health;
mod history;
mod list;
mod needs_you;
mod notice;
mod offers;
mod reconciliation;
mod subscription;
mod test_event;

use askama::Template;
use http::StatusCode;
use shared::host::error_class::ErrorClass;
use shared::host::http::{Problem, Response, html};
use tracing::error;

pub(crate) use act::{ActPage, Input};
pub(crate) use list::ListQuery;
pub(crate) use notice::{Notice, denied, no_role, refused};

use crate::api::Caller;
use crate::frame::Frame;
use crate::table::Table;

/// What every page is made of.
#[derive(Clone, Copy)]
pub(crate) struct Pages<'a> {
    pub(crate) caller: Caller<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) table: &'a Table,
}

pub(crate) fn shown(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(page) => html(status, page),
        Err(error) => {
            error!(%error, class = ErrorClass::Program.name(), "could not render a page");
            let detail = "the page can't be shown";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into()
        }
    }
}
