//! A reader's choice of a language, which comes before what the browser prefers.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use shared::host::http::{Request, Response, cookies, form_field};

use crate::language::{Language, Languages};

/// The parameter of an address that chooses a language.
pub(crate) const PARAMETER: &str = "language";

const COOKIE_NAME: &str = "landing-language";

/// A year, in seconds.
const LIFETIME: u32 = 31_536_000;

/// What a request says about its reader's language.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    languages: &'a Languages,
    headers: &'a HeaderMap,
    /// The language that the address chooses.
    pub(crate) chosen: Option<&'a Language>,
}

impl<'a> Reader<'a> {
    pub(crate) fn of(languages: &'a Languages, request: &'a Request) -> Self {
        let code = request.uri().query().and_then(|query| form_field(query, PARAMETER));
        let chosen = code.and_then(|code| languages.with_code(&code));
        Self { languages, headers: request.headers(), chosen }
    }

    /// The language of a page that is written in these; in all of them if there are none.
    pub(crate) fn language(&self, codes: &[String]) -> &'a Language {
        let remembered = remembered(self.languages, self.headers);
        let mut wanted = [self.chosen, remembered].into_iter().flatten();
        let wanted = wanted.find(|language| language.is_among(codes));
        wanted.unwrap_or_else(|| self.languages.negotiate(self.headers, codes))
    }
}

/// The language that the reader chose before.
fn remembered<'a>(languages: &'a Languages, headers: &HeaderMap) -> Option<&'a Language> {
    cookies(headers)
        .filter(|(name, _)| name.strip_prefix("__Host-").unwrap_or(name) == COOKIE_NAME)
        .find_map(|(_, code)| languages.with_code(code))
}

/// Makes the browser remember a choice. `secure` is true over HTTPS.
pub(crate) fn remember(response: &mut Response, language: &Language, secure: bool) {
    let (prefix, secure) = if secure { ("__Host-", "; Secure") } else { ("", "") };
    let code = language.code;
    let cookie = format!(
        "{prefix}{COOKIE_NAME}={code}; Path=/; Max-Age={LIFETIME}; HttpOnly; SameSite=Lax{secure}"
    );
    let cookie = HeaderValue::try_from(cookie).expect("a language's code is header text");
    response.headers_mut().append(SET_COOKIE, cookie);
}
