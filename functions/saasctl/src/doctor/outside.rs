//! What must be seen from outside: whether Microsoft and buyers reach the functions.

use std::time::Duration;

use bytes::Bytes;
use http::header::{LOCATION, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use shared::host::http_client::{HttpClient, SendError, Transport as _};
use url::Url;

use super::check::Check;

/// How long each answer may take. A cold function answers within a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// A landing page that is called at another address than its own sends the caller there first.
const MOST_REDIRECTS: usize = 3;

const WEBHOOK: &str = "webhook-reachable";
const LANDING: &str = "landing-reachable";
const REDIRECT: &str = "redirect-address";

const CONNECTION_WEBHOOK: &str =
    "Partner Center > Technical configuration > Connection webhook: the output WebhookUrl";
const LANDING_PAGE_URL: &str =
    "Partner Center > Technical configuration > Landing page URL: the output LandingPageUrl";
const REDIRECT_URI: &str = "Entra > the landing page's app > Authentication > Web > Redirect URIs: \
                            the output LandingRedirectUri";
const LANDING_CLIENT_ID: &str = "Parameter LandingClientId, and Entra > App registrations";

/// The functions' addresses, seen from here.
pub(super) struct Outside {
    pub(super) transport: HttpClient,
    pub(super) landing: Url,
    pub(super) webhook: Url,
}

impl Outside {
    pub(super) async fn checks(&self) -> Vec<Check> {
        let (webhook, landing) = tokio::join!(self.webhook(), self.landing());
        [webhook].into_iter().chain(landing).collect()
    }

    async fn ask(&self, method: Method, url: &Url) -> Result<Response<Bytes>, SendError> {
        let request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(USER_AGENT, concat!("saasctl/", env!("CARGO_PKG_VERSION")))
            .body(Bytes::new())
            .map_err(|error| SendError::Unbuilt(error.into()))?;
        self.transport.send(request, PATIENCE).await
    }

    /// A call without a token must be refused by the webhook itself, which names its version.
    async fn webhook(&self) -> Check {
        let url = &self.webhook;
        let failed = |what: String| Check::failed(WEBHOOK, what, CONNECTION_WEBHOOK);
        match self.ask(Method::POST, url).await {
            Err(error) => failed(unreachable(url, &error)),
            Ok(answer) if !is_ours(&answer) => failed(not_ours(url, &answer)),
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => Check::ok(
                WEBHOOK,
                format!("{url} answers, and refuses a call that Microsoft has not signed."),
            ),
            Ok(answer) => failed(format!(
                "{url} answered an unsigned call with {}, not with 401. Read its log.",
                answer.status().as_u16()
            )),
        }
    }

    async fn landing(&self) -> Vec<Check> {
        // Any token does: the page looks at it after the sign-in.
        let mut url = self.landing.clone();
        url.query_pairs_mut().append_pair("token", "saasctl-doctor");
        let mut redirects = 0;
        loop {
            let answer = match self.ask(Method::GET, &url).await {
                Ok(answer) if is_ours(&answer) => answer,
                Ok(answer) => return vec![landing_failed(not_ours(&self.landing, &answer))],
                Err(error) => return vec![landing_failed(unreachable(&self.landing, &error))],
            };
            if answer.status().is_server_error() {
                let status = answer.status().as_u16();
                return vec![landing_failed(format!(
                    "{} answers with {status}. Read the landing page's log.",
                    self.landing
                ))];
            }
            let reached = Check::ok(LANDING, format!("{} answers.", self.landing));
            let Some(location) = location(&url, &answer) else {
                let why = "The landing page sends no buyer to Entra: its sign-in is off \
                           (parameter LandingSignIn).";
                return vec![reached, Check::unknown(REDIRECT, why)];
            };
            if parameter(&location, "redirect_uri").is_some() {
                return vec![reached, self.redirect_address(location).await];
            }
            redirects += 1;
            if redirects == MOST_REDIRECTS {
                let says = format!("{} redirects from one address to the next.", self.landing);
                return vec![landing_failed(says)];
            }
            url = location;
        }
    }

    /// Asks Entra for a sign-in without a page (`prompt=none`). Where the redirect address is
    /// registered, Entra sends the browser back to it, with the error that no account is signed in;
    /// where it is not, Entra shows a page of its own.
    async fn redirect_address(&self, mut authorize: Url) -> Check {
        let address = parameter(&authorize, "redirect_uri").unwrap_or_default();
        let kept: Vec<_> = authorize
            .query_pairs()
            .filter(|(name, _)| name != "prompt")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        authorize.query_pairs_mut().clear().extend_pairs(kept).append_pair("prompt", "none");
        let answer = match self.ask(Method::GET, &authorize).await {
            Ok(answer) => answer,
            Err(error) => {
                return Check::unknown(REDIRECT, format!("Entra can't be asked: {error}."));
            }
        };
        let sent_to = location(&authorize, &answer);
        if sent_to.is_some_and(|sent_to| sent_to.as_str().starts_with(&address)) {
            return Check::ok(REDIRECT, format!("{address} is registered at Entra."));
        }
        let page = String::from_utf8_lossy(answer.body());
        if page.contains("AADSTS50011") {
            let says = format!("Entra doesn't know {address}, so no buyer can sign in. Add it.");
            return Check::failed(REDIRECT, says, REDIRECT_URI);
        }
        if page.contains("AADSTS700016") {
            let says = "Entra doesn't know the landing page's app, so no buyer can sign in.";
            return Check::failed(REDIRECT, says, LANDING_CLIENT_ID);
        }
        Check::unknown(
            REDIRECT,
            format!(
                "Entra doesn't say without a sign-in whether {address} is registered. Open \
                 {} in a browser: AADSTS50011 means that it isn't.",
                self.landing
            ),
        )
    }
}

fn landing_failed(says: String) -> Check {
    Check::failed(LANDING, says, LANDING_PAGE_URL)
}

fn unreachable(url: &Url, error: &SendError) -> String {
    format!("{url} can't be reached: {error}. Check the address, its DNS entry and certificate.")
}

/// Another server, or a gateway without the function behind it.
fn not_ours(url: &Url, answer: &Response<Bytes>) -> String {
    format!(
        "{url} answered with {}, and not from one of these functions. Check the address; if it is \
         right, read the function's log.",
        answer.status().as_u16()
    )
}

fn is_ours(answer: &Response<Bytes>) -> bool {
    answer.headers().contains_key("service-version")
}

fn location(from: &Url, answer: &Response<Bytes>) -> Option<Url> {
    from.join(answer.headers().get(LOCATION)?.to_str().ok()?).ok()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
