//! The sign-in of buyers and of the publisher's staff: authorization code with PKCE (section 8).

use super::directory::Entra;
use super::grant::Grant;
use super::registration::WebApp;
use super::sign_in_page::{account_picker, error_page};
use super::token_endpoint::Form;
use crate::people::{PERSONAL_TENANT, Person};
use crate::settings::TokenVersion;
use crate::wire::{ApiRequest, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::ToSpan as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

impl Entra {
    /// The sign-in page, or, once the buyer has picked an `identity` on it, the redirect with a
    /// code.
    pub(super) fn authorize(&mut self, tenant: &str, request: &ApiRequest) -> Reply {
        let parameter = |name: &str| request.parameter(name);
        if !self.is_known_tenant(tenant) {
            return error_page("AADSTS90002", "There is no such tenant.");
        }
        let client_id = parameter("client_id").unwrap_or_default();
        let Some(app) = self.web_app(&client_id) else {
            return error_page("AADSTS700016", "The application was not found in the directory.");
        };
        if !self.admits(app, tenant) {
            return error_page(
                "AADSTS50194",
                "The application is not configured for many tenants.",
            );
        }
        let people = self.people_of(app, tenant);
        let Some(redirect_uri) = parameter("redirect_uri").filter(|uri| app.has_registered(uri))
        else {
            return error_page(
                "AADSTS50011",
                "The redirect address does not match the registered ones.",
            );
        };
        let Ok(redirect) = Url::parse(&redirect_uri) else {
            return error_page("AADSTS50011", "The redirect address is not a URL.");
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
            None if parameter("prompt").as_deref() == Some("none") => {
                refuse("login_required", "AADSTS50058: Nobody is signed in.")
            }
            None => account_picker(request, &people),
            Some("cancel") => refuse("access_denied", "AADSTS65004: The user declined to sign in."),
            Some(email) => {
                let Some(person) = people.into_iter().find(|person| person.email == email) else {
                    return error_page("AADSTS50034", "The account does not exist.");
                };
                let code = self.ids.purchase_token().replace(['+', '/', '='], "-");
                let nonce = parameter("nonce");
                let expires = self.now.checked_add(10.minutes()).unwrap_or(self.now);
                let grant = Grant {
                    client_id,
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

    /// The console's application is of the publisher's tenant alone.
    fn admits(&self, app: &WebApp, tenant: &str) -> bool {
        app.client_id != self.console.client_id || tenant.eq_ignore_ascii_case(&self.tenant_id)
    }

    fn people_of(&self, app: &WebApp, tenant: &str) -> Vec<Person> {
        let people = match app.client_id == self.console.client_id {
            true => self.staff().into_iter().map(|member| member.person).collect(),
            false => Person::everybody(),
        };
        people.into_iter().filter_map(|person| person.signed_in_at(tenant)).collect()
    }

    /// Redeems a code (grant type `authorization_code`).
    pub(super) fn authorization_code(&mut self, tenant: &str, form: &Form) -> Reply {
        let named = form.get("client_id").map_or("", String::as_str);
        let app = self.web_app(named).unwrap_or(&self.landing);
        let (client_id, secret) = (app.client_id.clone(), app.client_secret.clone());
        if let Err(refusal) = self.authenticate(tenant, form, &client_id, &secret) {
            return refusal;
        }
        let code = form.get("code").cloned().unwrap_or_default();
        let now = self.now;
        let verifier =
            form.get("code_verifier").map(|text| URL_SAFE_NO_PAD.encode(Sha256::digest(text)));
        let problem = match self.grants.get_mut(&code) {
            Some(grant) if grant.client_id != client_id => {
                Some((70_002, "The code was issued to another application."))
            }
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
        // The subject is pairwise: each application sees another one.
        let subject = Sha256::digest(format!("{}/{}", grant.client_id, person.object_id));
        let mut claims = json!({
            "aud": grant.client_id,
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
        if grant.client_id == self.console.client_id {
            let staff = self.staff();
            let member = staff.iter().find(|member| member.person == *person);
            // Entra leaves the claim out of a token for a person without a role.
            if let Some(role) = member.and_then(|member| member.role) {
                claims["roles"] = json!([role]);
            }
        }
        Some(self.sign(&claims))
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
