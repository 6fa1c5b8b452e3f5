//! Changes that a signed-in customer makes.

use shared::host::http::Response;

use super::Visit;
use crate::form_field::form_field;
use crate::manage::{self, ChangeOutcome, Choice};
use crate::page::{Notice, Page};
use crate::purchase::VisitError;
use crate::redirect::see_other;
use crate::routes;
use crate::sign_in::Session;

impl Visit<'_> {
    /// Shows the possible changes (F-CHP-3). Without any, redirects to the purchase.
    pub(super) async fn offer_changes(&self, session: &Session) -> Response {
        let page = self.changes(session).await;
        page.unwrap_or_else(|error| self.failed(error, Some(session)))
    }

    async fn changes(&self, session: &Session) -> Result<Response, VisitError> {
        let opened = self.open(session).await?;
        let options = self.purchases.change_options(&opened).await?;
        if options.is_empty() {
            return Ok(see_other(routes::PURCHASE));
        }
        let csrf_token = &session.csrf_token;
        let page = Page::Manage { record: &opened.record, options: &options, csrf_token };
        Ok(self.show(page, Some(session)))
    }

    /// Shows the chosen change for confirmation. Once the customer has confirmed it, asks the
    /// publisher, and then Microsoft.
    pub(super) async fn change(&self, session: &Session) -> Result<Response, VisitError> {
        let opened = self.open(session).await?;
        let form = self.form();
        let Some(request) = manage::parse(form) else {
            return Ok(self.show_notice(Notice::NotOffered, Some(session)));
        };
        let (options, plans, requester) = match self.purchases.choose(&opened, &request).await? {
            Choice::Offered { options, plans, requester } => (options, plans, requester),
            Choice::NotOffered => return Ok(self.show_notice(Notice::NotOffered, Some(session))),
            Choice::Blocked => {
                let notice = Notice::Changed(ChangeOutcome::Refused);
                return Ok(self.show_notice(notice, Some(session)));
            }
        };
        if form_field(form, "confirmed").as_deref() != Some("yes") {
            let page = Page::Change {
                record: &opened.record,
                options: &options,
                request: &request,
                csrf_token: &session.csrf_token,
            };
            return Ok(self.show(page, Some(session)));
        }
        let outcome =
            self.purchases.request_change(opened.record, &request, plans, requester).await?;
        Ok(self.show_notice(Notice::Changed(outcome), Some(session)))
    }
}
