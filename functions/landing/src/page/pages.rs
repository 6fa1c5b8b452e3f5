//! Answers with a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LANGUAGE, VARY};
use http::{HeaderValue, StatusCode};
use ring::digest::{SHA256, digest};
use shared::config::Field;
use shared::host::error_class::ErrorClass;
use shared::host::http::{Problem, Response, html, see_other};
use tracing::error;

use super::frame::{Brand, Frame};
use super::render::render;
use super::{Notice, Page};
use crate::activation_mode::ActivationMode;
use crate::language::{Language, Languages};
use crate::routes::PURCHASE;
use crate::sign_in::Session;

pub(crate) struct Pages {
    brand: Brand,
    /// Each language's code and own name.
    languages: Vec<(&'static str, String)>,
    activation: ActivationMode,
    sign_in_is_off: bool,
}

impl Pages {
    /// Every page warns if sign-in is off.
    pub(crate) fn new(
        brand: Brand,
        languages: &Languages,
        activation: ActivationMode,
        sign_in_is_off: bool,
    ) -> Self {
        let name = |language: &Language| (language.code, language.phrases.format.name.clone());
        Self { brand, languages: languages.iter().map(name).collect(), activation, sign_in_is_off }
    }

    /// The content security policy of every page.
    pub(crate) fn policy(&self) -> HeaderValue {
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'sha256-{}'; img-src 'self'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'",
            STANDARD.encode(digest(&SHA256, self.brand.style.as_bytes()))
        );
        HeaderValue::try_from(policy).expect("base64 is header text")
    }

    /// The publisher's fields in the form of a new purchase.
    pub(crate) fn sign_up_fields(&self) -> &[Field] {
        &self.brand.fields
    }

    /// The answer to an address without a path: the product's own page, or a word about this one.
    pub(crate) fn home(&self, language: &Language) -> Response {
        match &self.brand.product_url {
            Some(product) => see_other(product),
            None => self.show(Page::Notice(Notice::NoToken), language, PURCHASE, None),
        }
    }

    /// `here` is the path at which the visitor finds the page, or the one after it.
    pub(crate) fn show(
        &self,
        page: Page<'_>,
        language: &Language,
        here: &'static str,
        session: Option<&Session>,
    ) -> Response {
        let frame = Frame {
            language,
            brand: &self.brand,
            activation: self.activation,
            languages: &self.languages,
            here,
            sign_in_is_off: self.sign_in_is_off,
            session,
        };
        let (status, rendered) = render(page, frame);
        let mut response = match rendered {
            Ok(page) => html(status, page),
            Err(error) => {
                error!(%error, class = ErrorClass::Program.name(), "could not render a page");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "the page can't be shown",
                )
                .into()
            }
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code));
        headers.insert(VARY, HeaderValue::from_static("accept-language, cookie"));
        response
    }
}
