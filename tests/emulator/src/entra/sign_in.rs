//! The sign-in of buyers: authorization code with PKCE (section 8).

use super::Entra;
use super::endpoint::Form;
use crate::settings::TokenVersion;
use crate::world::{ApiRequest, PERSONAL_TENANT, Person, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{Timestamp, ToSpan as _};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

/// A code waiting to be redeemed.
#[derive(Debug)]
pub(super) struct Grant {
    person: Person,
    redirect_uri: String,
    challenge: Option<String>,
    nonce: Option<String>,
    scope: String,
    expires: Timestamp,
    redeemed: bool,
}

impl Entra {
    /// The sign-in page; with `identity` the redirect of the person chosen on it.
    pub(super) fn authorize(&mut self, tenant: &str, request: &ApiRequest) -> Reply {
        let parameter = |name: &str| request.parameter(name);
        let people = sign_in_list(tenant);
        if people.is_empty() {
            return page_error("AADSTS90002", "There is no such tenant.");
        }
        if parameter("client_id").as_deref() != Some(self.landing_client_id.as_str()) {
            return page_error("AADSTS700016", "The application was not found in the directory.");
        }
        let Some(redirect_uri) = parameter("redirect_uri").filter(|uri| self.is_registered(uri))
        else {
            return page_error(
                "AADSTS50011",
                "The redirect address does not match the registered ones.",
            );
        };
        let Ok(redirect) = Url::parse(&redirect_uri) else {
            return page_error("AADSTS50011", "The redirect address is not an address.");
        };
        let state = parameter("state");
        let refuse = |error: &str, description: &str| {
            redirect_with(
                &redirect,
                &[("error", error), ("error_description", description)],
                state.as_deref(),
            )
        };
        if parameter("response_type").as_deref() != Some("code") {
            return refuse(
                "unsupported_response_type",
                "AADSTS70005: The response type must be code.",
            );
        }
        let scope = parameter("scope").unwrap_or_default();
        if !scope.split(' ').any(|word| word == "openid") {
            return refuse("invalid_scope", "AADSTS70011: The scope must contain openid.");
        }
        let challenge = parameter("code_challenge");
        if challenge.is_some() && parameter("code_challenge_method").as_deref() != Some("S256") {
            return refuse("invalid_request", "AADSTS501491: The challenge must be S256.");
        }
        match parameter("identity").as_deref() {
            None => {
                Reply::text(200, "text/html; charset=utf-8", page(request, &people).into_string())
            }
            Some("cancel") => refuse("access_denied", "AADSTS65004: The user declined to sign in."),
            Some(email) => {
                let Some(person) = people.into_iter().find(|person| person.email == email) else {
                    return page_error("AADSTS50034", "The account does not exist.");
                };
                let code = self.ids.purchase_token().replace(['+', '/', '='], "-");
                let nonce = parameter("nonce");
                let expires = self.now.checked_add(10.minutes()).unwrap_or(self.now);
                let grant = Grant {
                    person,
                    redirect_uri,
                    challenge,
                    nonce,
                    scope,
                    expires,
                    redeemed: false,
                };
                self.grants.insert(code.clone(), grant);
                redirect_with(&redirect, &[("code", &code)], state.as_deref())
            }
        }
    }

    fn is_registered(&self, uri: &str) -> bool {
        self.landing_redirect_uris.is_empty()
            || self.landing_redirect_uris.iter().any(|known| known == uri)
    }

    /// The grant `authorization_code`.
    pub(super) fn authorization_code(&mut self, form: &Form) -> Reply {
        let (client_id, secret) =
            (self.landing_client_id.clone(), self.landing_client_secret.clone());
        if let Err(refusal) = self.authenticate(form, &client_id, &secret) {
            return refusal;
        }
        let code = form.get("code").cloned().unwrap_or_default();
        let now = self.now;
        let verifier =
            form.get("code_verifier").map(|text| URL_SAFE_NO_PAD.encode(Sha256::digest(text)));
        let problem = match self.grants.get_mut(&code) {
            None => Some((9_002_313, "The code is malformed or unknown.")),
            Some(grant) if grant.redeemed => Some((54_005, "The code was redeemed already.")),
            Some(grant) if grant.expires <= now => Some((70_008, "The code has expired.")),
            Some(grant) if form.get("redirect_uri") != Some(&grant.redirect_uri) => {
                Some((50_011, "The redirect address is not the one the code was sent to."))
            }
            Some(grant) if grant.challenge.is_some() && grant.challenge != verifier => {
                Some((501_481, "The verifier does not match the challenge."))
            }
            Some(grant) => {
                grant.redeemed = true;
                None
            }
        };
        if let Some((number, message)) = problem {
            return self.failure(400, "invalid_grant", number, message);
        }
        let id_token = self.id_token(&code);
        let scope = self.grants.get(&code).map(|grant| grant.scope.clone());
        let body = json!({
            "token_type": "Bearer",
            "scope": scope,
            "expires_in": self.token_lifetime.as_secs(),
            "ext_expires_in": self.token_lifetime.as_secs(),
            "access_token": self.ids.uuid().simple().to_string(),
            "id_token": id_token,
        });
        Reply::json(200, &body).with_header("cache-control", "no-store, no-cache")
    }

    fn id_token(&mut self, code: &str) -> Option<String> {
        let grant = self.grants.get(code)?;
        let person = &grant.person;
        let tenant = person.tenant_id.to_string();
        let now = self.now.as_second();
        // Pairwise: another application would see another subject.
        let subject = Sha256::digest(format!("{}/{}", self.landing_client_id, person.object_id));
        let mut claims = json!({
            "aud": self.landing_client_id,
            "iss": self.issuer_of(&tenant, TokenVersion::V2),
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime_seconds(),
            "name": person.name,
            "oid": person.object_id,
            "preferred_username": person.email,
            "sub": URL_SAFE_NO_PAD.encode(subject),
            "tid": tenant,
            "ver": "2.0",
        });
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = json!(nonce);
        }
        // Work accounts often have no `email` claim (F-LP-8).
        if person.tenant_id == PERSONAL_TENANT {
            claims["email"] = json!(person.email);
        }
        Some(self.sign(&claims))
    }
}

fn sign_in_list(tenant: &str) -> Vec<Person> {
    let everybody = Person::everybody().into_iter();
    match tenant {
        "common" => everybody.collect(),
        "organizations" => everybody.filter(|person| person.tenant_id != PERSONAL_TENANT).collect(),
        "consumers" => everybody.filter(|person| person.tenant_id == PERSONAL_TENANT).collect(),
        _ => everybody
            .filter(|person| person.tenant_id.to_string().eq_ignore_ascii_case(tenant))
            .collect(),
    }
}

fn redirect_with(redirect: &Url, parameters: &[(&str, &str)], state: Option<&str>) -> Reply {
    let mut target = redirect.clone();
    target
        .query_pairs_mut()
        .extend_pairs(parameters)
        .extend_pairs(state.map(|state| ("state", state)));
    Reply::empty(302)
        .with_header("location", target.as_str())
        .with_header("cache-control", "no-store")
}

fn page_error(code: &str, message: &str) -> Reply {
    let body = frame(&html! {
        h1 { "Sorry, but we can't sign you in" }
        p { (code) ": " (message) }
    });
    Reply::text(400, "text/html; charset=utf-8", body.into_string())
}

fn page(request: &ApiRequest, people: &[Person]) -> Markup {
    let query = request.query.as_deref().unwrap_or_default();
    let link = |identity: &str| {
        let identity = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("identity", identity)
            .finish();
        format!("?{query}&{identity}")
    };
    frame(&html! {
        h1 { "Pick an account" }
        p { "These accounts exist in the emulator only. There are no passwords." }
        ul {
            @for person in people {
                li {
                    a href=(link(&person.email)) {
                        strong { (person.name) }
                        span { (person.email) }
                        small { "Tenant " (person.tenant_id) }
                    }
                }
            }
        }
        p { a.cancel href=(link("cancel")) { "Cancel" } }
    })
}

fn frame(content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Sign in (emulated)" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.45 system-ui, sans-serif;
  background: light-dark(#eef1f5, #14171c); color: light-dark(#1b2430, #e4e8ee); }
main { width: min(26rem, calc(100vw - 4rem)); padding: 1.5rem; border-radius: 10px;
  background: light-dark(#fff, #1d2229); border: 1px solid light-dark(#d5dbe3, #323a45); }
h1 { margin: 0 0 .5rem; font-size: 1.35rem; }
ul { list-style: none; margin: 1rem 0; padding: 0; }
li a { display: grid; padding: .7rem .8rem; margin-bottom: .5rem; border-radius: 8px; text-decoration: none;
  color: inherit; border: 1px solid light-dark(#d5dbe3, #323a45); }
li a:hover, li a:focus-visible { border-color: light-dark(#0b62c4, #6fb1ff); }
small { opacity: .7; overflow-wrap: anywhere; }
.cancel { color: light-dark(#0b62c4, #6fb1ff); }
";
