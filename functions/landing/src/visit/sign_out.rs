//! The end of a session.

use shared::host::http::{Response, see_other};
use shared::sign_in::Visitor;
use tracing::warn;

use super::Visit;
use crate::page::Notice;
use crate::routes;
use crate::sign_in::SignIn;

impl Visit<'_> {
    /// Ends the session, also one that has expired: its cookie still holds the purchase. Only the
    /// session's own pages can end it.
    pub(super) async fn sign_out(&self, sign_in: &SignIn<'_>) -> Response {
        let headers = self.request.headers();
        match sign_in.visitor(headers).await {
            Ok(Visitor::SignedIn(session) | Visitor::SignedOut(session)) => {
                if session.owns_form(self.form()) && sign_in.is_same_origin(headers) {
                    return sign_in.end(routes::SIGN_OUT, headers);
                }
                warn!("refused a form that is not from this session's pages");
                self.show_notice(Notice::SessionOver, None)
            }
            Ok(Visitor::Unknown) => see_other(routes::SIGN_OUT),
            Err(error) => self.not_signed_in(error),
        }
    }

    /// Says that the visitor is signed out, if that is so.
    pub(super) async fn signed_out(&self, sign_in: &SignIn<'_>) -> Response {
        match sign_in.visitor(self.request.headers()).await {
            Ok(Visitor::SignedIn(_)) => see_other(routes::PURCHASE),
            Ok(Visitor::SignedOut(_) | Visitor::Unknown) => {
                let at_entra = sign_in.sign_out_address().into();
                self.show_notice(Notice::SignedOut { at_entra }, None)
            }
            Err(error) => self.not_signed_in(error),
        }
    }
}
