//! A visit while sign-in is off, for development only.

use http::Method;
use shared::host::http::{Response, form_field, see_other};
use shared::microsoft::fulfillment::PurchaseToken;

use super::Visit;
use crate::page::{FormToken, Notice};
use crate::purchase::{Opened, VisitError};
use crate::routes::{self, Route};
use crate::sign_up_form::CONTACT;

impl Visit<'_> {
    /// The purchase token alone opens the purchase, and is part of the form.
    pub(crate) async fn answer_without_sign_in(&self) -> Response {
        if self.route != Route::Purchase {
            return see_other(routes::PURCHASE);
        }
        let is_look = *self.request.method() == Method::GET;
        let fields = if is_look { self.query() } else { self.form() };
        let Some(token) = PurchaseToken::from_query(fields) else {
            return self.show_notice(Notice::NoToken, None);
        };
        let answer = if is_look {
            match self.purchases.open(&token, None).await {
                Ok(opened) => Ok(self.purchase(self.remember(opened), &token).await),
                Err(error) => Err(error),
            }
        } else {
            self.confirm_by_token(&token).await
        };
        answer.unwrap_or_else(|error| self.failed(error, None))
    }

    async fn purchase(&self, opened: Opened, token: &PurchaseToken) -> Response {
        let form = self.prefilled_form(&opened.record, None);
        self.show_purchase(opened, FormToken::Purchase(token.expose()), form, None).await
    }

    /// A form without answers confirms, too.
    async fn confirm_by_token(&self, token: &PurchaseToken) -> Result<Response, VisitError> {
        let mut opened = self.remember(self.purchases.open(token, None).await?);
        let answers = match form_field(self.form(), CONTACT) {
            Some(_) => self.answers(&opened.record, self.form()),
            None => Ok(None),
        };
        let sign_up = match answers {
            Ok(sign_up) => sign_up,
            Err(form) => {
                let token = FormToken::Purchase(token.expose());
                return Ok(self.show_purchase(opened, token, form, None).await);
            }
        };
        let activation = self.brand().activation;
        opened.record = self.purchases.confirm(opened.record, sign_up.as_ref(), activation).await?;
        Ok(self.purchase(opened, token).await)
    }
}
