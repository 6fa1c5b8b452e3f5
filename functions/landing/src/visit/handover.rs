//! The way on to the publisher's own sign-up page.

use shared::domain::{ActivationRequest, Status};
use shared::host::http::{Response, see_other};
use tracing::{error, info};

use super::Visit;
use crate::page::{Notice, Page};
use crate::purchase::VisitError;
use crate::routes;
use crate::sign_in::Session;

impl Visit<'_> {
    /// Shows a confirmed purchase that waits for the publisher, or one that Microsoft activated by itself,
    /// with a new handover. Without one, redirects to the purchase.
    pub(super) async fn hand_over(&self, session: &Session) -> Result<Response, VisitError> {
        let mut opened = self.open(session).await?;
        let record = &opened.record;
        let waits = match record.status() {
            Status::PendingFulfillmentStart => {
                matches!(record.activation, Some(ActivationRequest::AwaitsPublisher { .. }))
                    && record.declined().is_none()
            }
            Status::Subscribed => record.claim.is_some(),
            Status::Suspended | Status::Unsubscribed | Status::Other(_) => false,
        };
        let brand = self.brand();
        let (true, Some(to), Some(visitor), Some(from)) =
            (waits, &brand.sign_up, opened.visitor, &self.origin)
        else {
            return Ok(see_other(routes::PURCHASE));
        };
        let Some(handovers) = self.handovers else {
            error!("an offer has a signUpUrl, and HANDOVER_SIGNING_KEY is not set");
            return Ok(self.show_notice(Notice::Misconfigured, Some(session)));
        };
        let language = self.reader.language(&brand.languages).code;
        let person = &session.person;
        let issue = handovers.issue(&opened, visitor, person, from, to, language);
        let own = self.purchases.own_plan(record);
        let (issued, own) = tokio::join!(issue, own);
        let handover = match issued {
            Ok(handover) => handover,
            Err(reason) => {
                let class = reason.class();
                error!(%reason, class = class.name(), "could not sign a handover");
                let operators = class.needs_operator();
                let notice = if operators { Notice::Misconfigured } else { Notice::Unavailable };
                return Ok(self.show_notice(notice, Some(session)));
            }
        };
        info!("issued a handover to the publisher's sign-up page");
        opened.plans.own = own;
        Ok(self.show(Page::Handover { opened: &opened, to, handover }, Some(session)))
    }
}
