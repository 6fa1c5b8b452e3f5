//! A visit in which the buyer signs in.

use http::Method;
use shared::host::http::{Response, see_other};
use shared::microsoft::fulfillment::PurchaseToken;
use shared::sign_in::Visitor;
use tracing::{error, info, warn};

use super::Visit;
use crate::brand::Brand;
use crate::page::{FormToken, Notice};
use crate::purchase::{Opened, VisitError};
use crate::routes::{self, Route};
use crate::sign_in::{Prompt, Session, SignIn, SignInError};

impl Visit<'_> {
    pub(crate) async fn answer_with_sign_in(&self, sign_in: &SignIn<'_>) -> Response {
        match (self.route, self.request.method()) {
            (Route::SignedIn, _) => {
                let finished = sign_in.finish(self.request).await;
                finished.unwrap_or_else(|error| self.not_signed_in(error))
            }
            (Route::SignIn, _) => self.send_to_entra_again(sign_in, Prompt::SelectAccount).await,
            (Route::SignOut, &Method::GET) => self.signed_out(sign_in).await,
            (Route::SignOut, _) => self.sign_out(sign_in).await,
            (Route::SignInAsGuest, _) => self.sign_in_as_guest(sign_in).await,
            (Route::Purchase | Route::Manage | Route::Handover, &Method::GET) => {
                self.look(sign_in).await
            }
            (Route::Purchase | Route::Manage | Route::Handover, _) => self.submit(sign_in).await,
        }
    }

    /// With a token in the address, sends the visitor to Entra. After the sign-in, shows the
    /// purchase and its status (F-LP-3, F-LP-5, F-LP-11).
    async fn look(&self, sign_in: &SignIn<'_>) -> Response {
        let visitor = match sign_in.visitor(self.request.headers()).await {
            Ok(visitor) => visitor,
            Err(error) => return self.not_signed_in(error),
        };
        match (PurchaseToken::from_query(self.query()), visitor) {
            // Removes the token from the address as soon as possible.
            (Some(token), Visitor::SignedIn(session)) if session.is_about(&token) => {
                see_other(routes::PURCHASE)
            }
            (Some(token), _) => self.send_to_entra(sign_in, &token, Prompt::OnlyIfNeeded).await,
            (None, Visitor::SignedIn(session)) if self.route == Route::Manage => {
                self.offer_changes(&session).await
            }
            (None, Visitor::SignedIn(session)) if self.route == Route::Handover => {
                let page = self.hand_over(&session).await;
                page.unwrap_or_else(|error| self.failed(error, Some(&session)))
            }
            (None, Visitor::SignedIn(session)) => match self.open(&session).await {
                Ok(opened) => {
                    let form = self.prefilled_form(&opened.record, Some(&session));
                    let token = FormToken::Csrf(&session.csrf_token);
                    self.show_purchase(opened, token, form, Some(&session)).await
                }
                Err(error) => self.failed(error, Some(&session)),
            },
            // A page that polls must neither sign the visitor in nor change a cookie.
            (None, Visitor::SignedOut(_)) if self.is_by_script() => {
                self.show_notice(Notice::SessionOver, None)
            }
            // A visitor who turned back on the way to Entra comes here, too.
            (None, Visitor::SignedOut(_) | Visitor::Unknown) => {
                self.send_to_entra_again(sign_in, Prompt::OnlyIfNeeded).await
            }
        }
    }

    /// Opens the purchase that the session is about.
    pub(super) async fn open(&self, session: &Session) -> Result<Opened, VisitError> {
        let token = session.purchase_token().ok_or(VisitError::TokenRejected)?;
        let opened = self.purchases.open(&token, Some(&session.person.account)).await?;
        Ok(self.remember(opened))
    }

    /// Handles a form. A redirect follows each confirmation, so that reloading the page sends
    /// nothing twice.
    async fn submit(&self, sign_in: &SignIn<'_>) -> Response {
        let headers = self.request.headers();
        let session = match sign_in.visitor(headers).await {
            Ok(Visitor::SignedIn(session)) => session,
            Ok(Visitor::SignedOut(_)) => return self.show_notice(Notice::SessionOver, None),
            Ok(Visitor::Unknown) => return self.show_notice(Notice::NoToken, None),
            Err(error) => return self.not_signed_in(error),
        };
        if !session.owns_form(self.form()) || !sign_in.is_same_origin(headers) {
            warn!("refused a form that is not from this session's pages");
            return self.show_notice(Notice::SessionOver, None);
        }
        let answer = match self.route {
            Route::Manage => self.change(&session).await,
            Route::Purchase
            | Route::Handover
            | Route::SignIn
            | Route::SignInAsGuest
            | Route::SignedIn
            | Route::SignOut => self.confirm(&session).await,
        };
        answer.unwrap_or_else(|error| self.failed(error, Some(&session)))
    }

    /// Confirms the purchase. An incomplete form is shown again. A second confirmation changes
    /// nothing (F-LP-10).
    async fn confirm(&self, session: &Session) -> Result<Response, VisitError> {
        let opened = self.open(session).await?;
        let sign_up = match self.answers(&opened.record, self.form()) {
            Ok(sign_up) => sign_up,
            Err(form) => {
                let token = FormToken::Csrf(&session.csrf_token);
                return Ok(self.show_purchase(opened, token, form, Some(session)).await);
            }
        };
        let Brand { activation, sign_up: page, .. } = self.brand();
        self.purchases.confirm(opened.record, sign_up.as_ref(), *activation).await?;
        Ok(see_other(if page.is_some() { routes::HANDOVER } else { routes::PURCHASE }))
    }

    async fn send_to_entra(
        &self,
        sign_in: &SignIn<'_>,
        token: &PurchaseToken,
        prompt: Prompt,
    ) -> Response {
        let begun = sign_in.begin(token, prompt, self.request.headers()).await;
        begun.unwrap_or_else(|error| self.not_signed_in(error))
    }

    /// Sends the visitor to Entra again, for the purchase in the cookies.
    async fn send_to_entra_again(&self, sign_in: &SignIn<'_>, prompt: Prompt) -> Response {
        match sign_in.purchase_token(self.request.headers()).await {
            Ok(Some(token)) => self.send_to_entra(sign_in, &token, prompt).await,
            Ok(None) => self.show_notice(Notice::NoToken, None),
            Err(error) => self.not_signed_in(error),
        }
    }

    /// Sends a stranger to the directory that the purchase was made in. Microsoft names it in its
    /// answer for the session's token; the request has no say.
    async fn sign_in_as_guest(&self, sign_in: &SignIn<'_>) -> Response {
        let session = match sign_in.visitor(self.request.headers()).await {
            Ok(Visitor::SignedIn(session)) => session,
            Ok(Visitor::SignedOut(_) | Visitor::Unknown) => {
                return self.send_to_entra_again(sign_in, Prompt::SelectAccount).await;
            }
            Err(error) => return self.not_signed_in(error),
        };
        match (self.open(&session).await, session.purchase_token()) {
            (Err(VisitError::Stranger { tenant: Some(tenant) }), Some(token)) => {
                self.send_to_entra(sign_in, &token, Prompt::InTenant(tenant)).await
            }
            (Ok(_), _) => see_other(routes::PURCHASE),
            (Err(error), _) => self.failed(error, Some(&session)),
        }
    }

    pub(super) fn not_signed_in(&self, error: SignInError) -> Response {
        let notice = match error {
            SignInError::Untrusted(reason) => {
                warn!(%reason, "refused a sign-in");
                Notice::SignInFailed
            }
            SignInError::Declined => {
                info!("a visitor declined to sign in");
                Notice::Declined
            }
            SignInError::TooLong => {
                info!("the purchase token of a visit is longer than any of Microsoft's");
                Notice::Expired
            }
            SignInError::Unavailable(reason) => {
                let class = reason.class();
                error!(
                    %reason, class = class.name(), metric = class.metric(),
                    "could not sign a visitor in"
                );
                if class.needs_operator() { Notice::Misconfigured } else { Notice::Unavailable }
            }
        };
        self.show_notice(notice, None)
    }
}
