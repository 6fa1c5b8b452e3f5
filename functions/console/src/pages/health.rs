//! The doctor's lines, and the settings in force.

use askama::Template;
use http::StatusCode;
use shared::host::http::Response;

use super::{Pages, shown};
use crate::answers::{Check, Examination};
use crate::api::Refusal;
use crate::frame::Frame;
use crate::settings::Setting;
use crate::words::spaced;

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage<'a> {
    frame: Frame<'a>,
    examination: Result<Examination, Refusal>,
    settings: &'a [Setting],
}

impl HealthPage<'_> {
    fn name(&self, check: &Check) -> String {
        spaced(&check.check.replace('-', " "))
    }

    fn tone(&self, check: &Check) -> &'static str {
        match check.outcome.as_str() {
            "ok" => "good",
            "warning" => "warn",
            "failed" => "bad",
            _ => "end",
        }
    }
}

impl Pages<'_> {
    pub(crate) async fn health(self, settings: &[Setting]) -> Response {
        let examination = self.caller.get("/doctor").await;
        shown(StatusCode::OK, &HealthPage { frame: self.frame, examination, settings })
    }
}
