//! What the last examination found, and the settings in force.

use askama::Template;
use http::StatusCode;
use shared::host::http::{Response, see_other};
use shared::store::{Check, Examination};

use super::examined::{Examined, tone};
use super::{Pages, shown};
use crate::api::Refusal;
use crate::frame::Frame;
use crate::routes;
use crate::settings::Setting;
use crate::words::spaced;

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage<'a> {
    frame: Frame<'a>,
    examined: Result<Option<Examined>, Refusal>,
    settings: &'a [Setting],
}

impl HealthPage<'_> {
    fn name(&self, check: &Check) -> String {
        spaced(&check.check.replace('-', " "))
    }

    fn tone(&self, check: &Check) -> &'static str {
        tone(check)
    }
}

impl Pages<'_> {
    pub(crate) async fn health(self, settings: &[Setting]) -> Response {
        let examined = Examined::read(self.caller, self.frame.now).await;
        shown(StatusCode::OK, &HealthPage { frame: self.frame, examined, settings })
    }

    /// Examines the deployment anew, and leads to the page that shows what was found.
    pub(crate) async fn examine(self) -> Result<Response, Refusal> {
        self.caller.get::<Examination>("/doctor").await?;
        Ok(see_other(routes::HEALTH))
    }
}
