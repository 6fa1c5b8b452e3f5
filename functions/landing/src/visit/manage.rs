//! Changes that a signed-in customer makes.

use shared::flows::request_change::ChangeRequest;
use shared::host::http::{Response, form_field, see_other};

use super::Visit;
use crate::known_plans::KnownPlans;
use crate::manage::{self, ChangeOutcome, Choice};
use crate::page::{Notice, Page};
use crate::purchase::VisitError;
use crate::routes;
use crate::sign_in::Session;

impl Visit<'_> {
    /// Shows the possible changes (F-CHP-3). Without any, redirects to the purchase.
    pub(super) async fn offer_changes(&self, session: &Session) -> Response {
        let page = self.changes(session).await;
        page.unwrap_or_else(|error| self.failed(error, Some(session)))
    }

    async fn changes(&self, session: &Session) -> Result<Response, VisitError> {
        let mut opened = self.open(session).await?;
        let options = self.purchases.change_options(&mut opened).await?;
        if options.is_empty() {
            return Ok(see_other(routes::PURCHASE));
        }
        let csrf_token = &session.csrf_token;
        let page = Page::Manage { opened: &opened, options: &options, csrf_token };
        Ok(self.show(page, Some(session)))
    }

    /// Shows the chosen change for confirmation. Once the customer has confirmed it, asks the
    /// publisher, and then Microsoft.
    pub(super) async fn change(&self, session: &Session) -> Result<Response, VisitError> {
        let mut opened = self.open(session).await?;
        let form = self.form();
        let Some(request) = manage::parse(form) else {
            return Ok(self.show_notice(Notice::NotOffered, Some(session)));
        };
        let is_confirmed = form_field(form, "confirmed").as_deref() == Some("yes");
        let own_plan = async {
            if is_confirmed {
                return None;
            }
            match request {
                ChangeRequest::Plan(_) | ChangeRequest::Seats(_) => {
                    self.purchases.own_plan_if_unseen(&opened.record).await
                }
                ChangeRequest::Cancel => self.purchases.own_plan(&opened.record).await,
            }
        };
        let (own, choice) = tokio::join!(own_plan, self.purchases.choose(&opened, &request));
        let (plans, requester) = match choice? {
            Choice::Offered { plans, requester } => (plans, requester),
            Choice::NotOffered => return Ok(self.show_notice(Notice::NotOffered, Some(session))),
            Choice::Blocked => {
                let notice = Notice::Changed(ChangeOutcome::Refused);
                return Ok(self.show_notice(notice, Some(session)));
            }
        };
        if !is_confirmed {
            opened.plans = KnownPlans { own, offered: plans, ..KnownPlans::of(&opened.record) };
            let csrf_token = &session.csrf_token;
            let page = Page::Change { opened: &opened, request: &request, csrf_token };
            return Ok(self.show(page, Some(session)));
        }
        let outcome =
            self.purchases.request_change(opened.record, &request, plans, requester).await?;
        Ok(self.show_notice(Notice::Changed(outcome), Some(session)))
    }
}
