//! Answers with a page.

use http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, VARY};
use http::{HeaderValue, StatusCode};
use shared::host::error_class::ErrorClass;
use shared::host::http::{Problem, Response, html, see_other};
use tracing::error;

use super::frame::Frame;
use super::render::render;
use super::{Notice, Page};
use crate::brand::Brand;
use crate::brands::Brands;
use crate::language::{Language, Languages};
use crate::language_choice::Reader;
use crate::routes::PURCHASE;
use crate::sign_in::Session;

/// Where a page is shown, and to whom.
pub(crate) struct Place<'a> {
    pub(crate) brands: &'a Brands,
    pub(crate) brand: &'a Brand,
    pub(crate) reader: Reader<'a>,
    /// The path at which the visitor finds the page, or the one after it.
    pub(crate) here: &'static str,
    pub(crate) session: Option<&'a Session>,
}

pub(crate) struct Pages {
    /// Each language's code and own name.
    languages: Vec<(&'static str, String)>,
    sign_in_is_off: bool,
}

impl Pages {
    /// Every page warns if sign-in is off.
    pub(crate) fn new(languages: &Languages, sign_in_is_off: bool) -> Self {
        let name = |language: &Language| (language.code, language.phrases.format.name.clone());
        Self { languages: languages.iter().map(name).collect(), sign_in_is_off }
    }

    /// The answer to an address without a path: the product's own page, or a word about this one.
    pub(crate) fn home(&self, brands: &Brands, reader: Reader<'_>) -> Response {
        match &brands.deployment.product_url {
            Some(product) => see_other(product),
            None => self.show_deployments(Notice::NoToken, brands, reader),
        }
    }

    /// A page that belongs to no offer.
    pub(crate) fn show_deployments(
        &self,
        notice: Notice,
        brands: &Brands,
        reader: Reader<'_>,
    ) -> Response {
        let brand = &brands.deployment;
        let place = Place { brands, brand, reader, here: PURCHASE, session: None };
        self.show(Page::Notice(notice), place)
    }

    pub(crate) fn show(&self, page: Page<'_>, place: Place<'_>) -> Response {
        let Place { brands, brand, reader, here, session } = place;
        let language = reader.language(&brand.languages);
        let policy = brand.policy(page.sends_to());
        let frame = Frame {
            language,
            brand,
            brands,
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
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code));
        headers.insert(VARY, HeaderValue::from_static("accept-language, cookie"));
        response
    }
}
