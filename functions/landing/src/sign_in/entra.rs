//! The protocol with Entra: authorization code with PKCE (F-LP-6, F-LP-7).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use shared::config::LandingApp;
use shared::host::http_client::{SendError, Transport};
use shared::host::retry::RetryPolicy;
use tracing::error;
use url::Url;

use super::SIGNED_IN;
use super::error::{SignInError, Unavailable, Untrusted};

/// What tells who signed in and nothing more; nothing here needs an administrator's consent.
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// The one field beside OAuth's own that is wanted of Entra's answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct WithIdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for WithIdToken {}

type EntraClient = Client<
    BasicErrorResponse,
    StandardTokenResponse<WithIdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The protocol's requests leave as all others do.
struct Via(Arc<dyn Transport>);

impl<'c> AsyncHttpClient<'c> for Via {
    type Error = SendError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, SendError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let patience = RetryPolicy::INTERACTIVE.attempt_timeout;
            let answer = self.0.send(request.map(Bytes::from), patience).await?;
            Ok(answer.map(|body| body.to_vec()))
        })
    }
}

/// Entra, as the landing page's application talks to it.
pub(super) struct Entra {
    client: EntraClient,
    app: LandingApp,
}

/// The way to Entra, and what must come back from there.
pub(super) struct Departure {
    /// Where the browser is sent.
    pub to: Url,
    /// Comes back in the address.
    pub state: String,
    /// Comes back in the id token.
    pub nonce: String,
    /// Proves to Entra that the code is ours.
    pub verifier: String,
}

impl Entra {
    /// Entra, and the way back from there.
    pub(super) fn new(app: LandingApp) -> Self {
        let redirect = format!("{}{SIGNED_IN}", app.base_url);
        let parse = |url: &str| Url::parse(url).expect("made of an address that was checked");
        let endpoint = |name: &str| parse(&format!("{}/common/oauth2/v2.0/{name}", app.authority));
        let client = Client::new(ClientId::new(app.client_id.to_string()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(endpoint("authorize")))
            .set_token_uri(TokenUrl::from_url(endpoint("token")))
            .set_redirect_uri(RedirectUrl::from_url(parse(&redirect)));
        Self { client, app }
    }

    /// A new way to Entra. With `choose` it asks which account, even where it knows one.
    pub(super) fn depart(&self, choose: bool) -> Departure {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random();
        let mut request = self
            .client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("response_mode", "query")
            .add_extra_param("nonce", nonce.secret());
        if choose {
            request = request.add_extra_param("prompt", "select_account");
        }
        let (to, state) = request.url();
        Departure {
            to,
            state: state.into_secret(),
            nonce: nonce.into_secret(),
            verifier: verifier.into_secret(),
        }
    }

    /// Exchanges a code for the id token. Never twice: a code is good for one answer.
    pub(super) async fn redeem(
        &self,
        secret: &str,
        code: String,
        verifier: String,
    ) -> Result<String, SignInError> {
        let client =
            self.client.clone().set_client_secret(oauth2::ClientSecret::new(secret.to_owned()));
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&Via(self.app.transport.clone()))
            .await;
        match answer {
            Ok(token) => {
                token.extra_fields().id_token.clone().ok_or_else(|| Unavailable::NoIdToken.into())
            }
            Err(RequestTokenError::ServerResponse(refusal)) => Err(refused(&refusal)),
            Err(RequestTokenError::Request(error)) => Err(Unavailable::Unreachable(error).into()),
            Err(RequestTokenError::Parse(..) | RequestTokenError::Other(_)) => {
                Err(Unavailable::UnreadableAnswer.into())
            }
        }
    }
}

/// A code that isn't good is the visitor's affair, everything else that of whoever set this up
/// (F-AUTH-15). Entra's own words name people and stay out of the log.
fn refused(refusal: &BasicErrorResponse) -> SignInError {
    match refusal.error() {
        BasicErrorResponseType::InvalidGrant => Untrusted::BadCode.into(),
        BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient => {
            error!("Entra refuses the landing page's application: check its id and its secret");
            Unavailable::ApplicationRefused.into()
        }
        BasicErrorResponseType::InvalidRequest
        | BasicErrorResponseType::InvalidScope
        | BasicErrorResponseType::UnsupportedGrantType
        | BasicErrorResponseType::Extension(_) => Unavailable::ErrorAnswer.into(),
    }
}
