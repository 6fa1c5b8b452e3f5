//! Answers with a page, and with the headers that protect it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use ring::digest::{SHA256, digest};
use shared::config::{Branding, Field};
use shared::host::http::{Problem, Response, html};
use tracing::error;

use super::Page;
use super::frame::{Brand, Frame};
use super::render::render;
use crate::assets::Assets;
use crate::language::Language;
use crate::sign_in::Session;

pub(crate) struct Pages {
    brand: Brand,
    sign_in_is_off: bool,
    /// The content security policy.
    policy: HeaderValue,
}

impl Pages {
    /// Every page warns if sign-in is off.
    pub(crate) fn new(branding: Branding, assets: &Assets, sign_in_is_off: bool) -> Self {
        let brand = Brand::new(branding, assets);
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'sha256-{}'; img-src 'self'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'",
            STANDARD.encode(digest(&SHA256, brand.style.as_bytes()))
        );
        let policy = HeaderValue::try_from(policy).expect("base64 is header text");
        Self { brand, sign_in_is_off, policy }
    }

    /// The publisher's fields in the form of a new purchase.
    pub(crate) fn sign_up_fields(&self) -> &[Field] {
        &self.brand.fields
    }

    pub(crate) fn show(
        &self,
        page: Page<'_>,
        language: &Language,
        session: Option<&Session>,
    ) -> Response {
        let frame = Frame {
            language,
            brand: &self.brand,
            sign_in_is_off: self.sign_in_is_off,
            person: session.map(|session| &session.person),
        };
        let (status, rendered) = render(page, frame);
        let mut response = self.with_security_headers(match rendered {
            Ok(page) => html(status, page),
            Err(error) => {
                error!(%error, "could not render a page");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "the page can't be shown",
                )
                .into()
            }
        });
        let headers = response.headers_mut();
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code));
        headers.insert(VARY, HeaderValue::from_static("accept-language, cookie"));
        response
    }

    /// Adds the headers that keep other sites from framing, reading or scripting a page.
    pub(crate) fn with_security_headers(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        response
    }
}
