//! OAuth's authorization code flow with PKCE, at Entra (F-LP-6, F-LP-7).

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use oauth2::basic::{
    BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, CsrfToken,
    EndpointNotSet, EndpointSet, ErrorResponse, ExtraTokenFields, HttpRequest, HttpResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::error::{SignInError, Unavailable, Untrusted};
use super::site::Site;
use super::token_answer::readable;
use crate::domain::PERSONAL_TENANT;
use crate::host::clock::Clock;
use crate::host::http_client::{SendError, Transport};
use crate::host::origin::Origin;
use crate::host::retry::RetryPolicy;
use crate::lenient::lenient;
use crate::microsoft::entra::{Credential, Identity, Proof, WebApp, refuses_credential};

/// Enough to identify the person. None of these needs an administrator's consent.
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// The field of Entra's answer that OpenID Connect adds to OAuth's.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct IdTokenField {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdTokenField {}

/// Entra's refusal: OAuth's word, and numbers of its own. Its description names people, so it is not
/// read.
#[derive(Debug, Deserialize, Serialize)]
struct Refusal {
    error: BasicErrorResponseType,
    #[serde(default, deserialize_with = "lenient")]
    error_codes: Option<BTreeSet<u64>>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error.as_ref())
    }
}

impl ErrorResponse for Refusal {}

type EntraClient = Client<
    Refusal,
    StandardTokenResponse<IdTokenField, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Sends the OAuth library's requests through our transport.
struct OAuthTransport(Arc<dyn Transport>);

impl<'c> AsyncHttpClient<'c> for OAuthTransport {
    type Error = SendError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, SendError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let timeout = RetryPolicy::INTERACTIVE.attempt_timeout;
            let answer = self.0.send(request.map(Bytes::from), timeout).await?;
            Ok(readable(answer))
        })
    }
}

/// Entra, for a page's application.
pub(super) struct Entra {
    app: WebApp,
    site: &'static Site,
}

/// Which account Entra signs in, and whether it asks the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Any account of the application's. Entra does not ask if the person is signed in with one already.
    OnlyIfNeeded,
    /// Any account of the application's, which the person selects.
    SelectAccount,
    /// An account that the person selects and that this directory has as a member or as a guest.
    /// Entra answers with its ids in this directory.
    InTenant(Uuid),
}

impl Prompt {
    /// The directory that this asks for.
    fn tenant(self) -> Option<Uuid> {
        match self {
            Self::OnlyIfNeeded | Self::SelectAccount => None,
            Self::InTenant(tenant) => Some(tenant),
        }
    }
}

/// Entra's name for a directory in its addresses. Personal accounts share one tenant, which Entra
/// calls `consumers` there.
fn directory(tenant: Option<Uuid>) -> String {
    match tenant {
        None => "common".to_owned(),
        Some(PERSONAL_TENANT) => "consumers".to_owned(),
        Some(tenant) => tenant.to_string(),
    }
}

/// Sends the browser to Entra. The rest is kept to check Entra's answer against.
pub(super) struct AuthorizationRequest {
    pub(super) url: Url,
    /// Comes back in the redirect.
    pub(super) state: String,
    /// Comes back in the id token.
    pub(super) nonce: String,
    /// Proves to Entra that we requested the code.
    pub(super) pkce_verifier: String,
}

impl Entra {
    pub(super) fn new(app: WebApp, site: &'static Site) -> Self {
        Self { app, site }
    }

    /// The directory that alone may answer; `None`: any.
    pub(super) fn tenant(&self, prompt: Prompt) -> Option<Uuid> {
        prompt.tenant().or(self.app.tenant_id)
    }

    /// Entra's answer comes back to the page at `origin`.
    fn client(&self, origin: &Origin, tenant: Option<Uuid>) -> EntraClient {
        let endpoint = |name: &str| parse(&self.endpoint(tenant, name));
        let redirect = parse(&format!("{}{}", origin.as_str(), self.site.redirect_path));
        Client::new(ClientId::new(self.app.client_id.to_string()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(endpoint("authorize")))
            .set_token_uri(TokenUrl::from_url(endpoint("token")))
            .set_redirect_uri(RedirectUrl::from_url(redirect))
    }

    /// Entra asks the person which account to sign out of, and stays on its own page.
    pub(super) fn sign_out_address(&self) -> Url {
        parse(&self.endpoint(self.app.tenant_id, "logout"))
    }

    pub(super) fn authorization_request(
        &self,
        origin: &Origin,
        prompt: Prompt,
    ) -> AuthorizationRequest {
        let (challenge, pkce_verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random();
        let client = self.client(origin, self.tenant(prompt));
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("response_mode", "query")
            .add_extra_param("nonce", nonce.secret());
        match prompt {
            Prompt::OnlyIfNeeded => {}
            Prompt::SelectAccount | Prompt::InTenant(_) => {
                request = request.add_extra_param("prompt", "select_account");
            }
        }
        let (url, state) = request.url();
        AuthorizationRequest {
            url,
            state: state.into_secret(),
            nonce: nonce.into_secret(),
            pkce_verifier: pkce_verifier.into_secret(),
        }
    }

    /// What proves to a directory's token endpoint that we are the application.
    pub(super) async fn proof(
        &self,
        credential: &Credential,
        tenant: Option<Uuid>,
        clock: &dyn Clock,
    ) -> Result<Proof, Unavailable> {
        let client = Identity {
            client_id: &self.app.client_id.to_string(),
            token_endpoint: &self.endpoint(tenant, "token"),
            clock,
            timeout: RetryPolicy::INTERACTIVE.attempt_timeout,
        };
        Ok(Box::pin(credential.proof(client)).await?)
    }

    fn endpoint(&self, tenant: Option<Uuid>, name: &str) -> String {
        format!("{}/{}/oauth2/v2.0/{name}", self.app.authority, directory(tenant))
    }

    /// Exchanges a code for the id token, at the directory that the person was sent to. There is no
    /// retry, because a code is valid only once.
    pub(super) async fn exchange_code(
        &self,
        origin: &Origin,
        tenant: Option<Uuid>,
        proof: &Proof,
        code: String,
        pkce_verifier: String,
    ) -> Result<String, SignInError> {
        let client = self.client(origin, tenant);
        let mut request = client.exchange_code(AuthorizationCode::new(code));
        for (name, value) in proof.fields() {
            request = request.add_extra_param(name, value);
        }
        let answer = request
            .set_pkce_verifier(PkceCodeVerifier::new(pkce_verifier))
            .request_async(&OAuthTransport(self.app.transport.clone()))
            .await;
        match answer {
            Ok(token) => {
                token.extra_fields().id_token.clone().ok_or_else(|| Unavailable::NoIdToken.into())
            }
            Err(RequestTokenError::ServerResponse(refusal)) => {
                Err(self.token_error(refusal, proof))
            }
            Err(RequestTokenError::Request(error)) => Err(Unavailable::Unreachable(error).into()),
            Err(RequestTokenError::Parse(..) | RequestTokenError::Other(_)) => {
                Err(Unavailable::UnreadableAnswer.into())
            }
        }
    }

    /// The visitor brought an invalid code, or the operator set up the application wrongly (F-AUTH-15),
    /// or Entra failed.
    fn token_error(&self, refusal: Refusal, proof: &Proof) -> SignInError {
        let (site, asserted) = (self.site, proof.asserted());
        let codes = refusal.error_codes.unwrap_or_default();
        match refusal.error {
            _ if refuses_credential(&codes) => {
                Unavailable::ApplicationRefused { site, error: "the credential", codes, asserted }
                    .into()
            }
            BasicErrorResponseType::InvalidGrant => Untrusted::BadCode.into(),
            BasicErrorResponseType::InvalidClient => {
                Unavailable::ApplicationRefused { site, error: "invalid_client", codes, asserted }
                    .into()
            }
            BasicErrorResponseType::UnauthorizedClient => Unavailable::ApplicationRefused {
                site,
                error: "unauthorized_client",
                codes,
                asserted,
            }
            .into(),
            BasicErrorResponseType::InvalidRequest
            | BasicErrorResponseType::InvalidScope
            | BasicErrorResponseType::UnsupportedGrantType
            | BasicErrorResponseType::Extension(_) => Unavailable::ErrorAnswer.into(),
        }
    }
}

fn parse(url: &str) -> Url {
    Url::parse(url).expect("made of an address that was checked")
}
