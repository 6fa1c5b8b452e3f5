//! The publisher's staff: people of one directory, with the app roles of the staff console (F-ROLE-1).

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;
use uuid::Uuid;

use super::cookie::CookieNames;
use super::entra::Prompt;
use super::error::{SignInError, Untrusted};
use super::return_path::ReturnPath;
use super::seal::{constant_time_eq, random_text};
use super::session::{SESSION_TIME, Session, Visitor};
use super::site::Site;
use super::{SignIn, SignInApp};
use crate::host::clock::Clock;
use crate::host::http::{Request, Response};
use crate::host::origin::Origin;
use crate::microsoft::entra::{InvalidToken, Person, WebApp};
use crate::store::KnownRefusals;

/// The path of the redirect URI, as the console's app registration names it.
pub const REDIRECT_PATH: &str = "/console/signed-in";

/// The console's first page, for those who came from no page of it.
const START: &str = "/console";

static SITE: Site = Site {
    name: "staff console",
    cookies: CookieNames { round_trip: "console", session: "console-session" },
    cookie_key_purpose: b"staff console cookies, AES-256-GCM, version 1",
    cookie_key_setting: "CONSOLE_COOKIE_KEY",
    redirect_path: REDIRECT_PATH,
    cookie_lifetime: SESSION_TIME,
};

/// What an app role permits. Ordered: each permits what the ones before it permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StaffRole {
    Viewer,
    Operator,
    Admin,
}

impl StaffRole {
    const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The value of the app role, as the app registration names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Operator => "Operator",
            Self::Admin => "Admin",
        }
    }

    /// Whether it permits what `needed` permits.
    pub fn permits(self, needed: Self) -> bool {
        self >= needed
    }

    /// The one that permits most. Roles of other names permit nothing here.
    fn highest(person: &Person) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|role| person.roles.contains(role.as_str()))
    }
}

impl fmt::Display for StaffRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A member of the publisher's staff, from a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Staff {
    /// Who it is, in the publisher's directory. The names may change.
    pub object_id: Uuid,
    /// May be empty.
    pub name: String,
    /// The sign-in name. May be empty.
    pub user_name: String,
    pub role: StaffRole,
    /// Part of every form on this session's pages.
    pub csrf_token: String,
    /// The end of the session.
    pub expires: Timestamp,
}

impl Staff {
    fn new(person: Person, role: StaffRole, expires: Timestamp) -> Result<Self, InvalidToken> {
        Ok(Self {
            object_id: person.account.object_id.ok_or(InvalidToken::NoObject)?,
            name: person.name.unwrap_or_default(),
            user_name: person.username.unwrap_or_default(),
            role,
            csrf_token: random_text(),
            expires,
        })
    }

    /// Whether a form of this session's pages carries this token.
    pub fn owns_form_with(&self, csrf_token: &str) -> bool {
        constant_time_eq(csrf_token, &self.csrf_token)
    }
}

/// Names and the CSRF token stay out of every log.
impl fmt::Debug for Staff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staff")
            .field("object_id", &self.object_id)
            .field("role", &self.role)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Session for Staff {
    fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// Why a person is not signed in to the console.
#[derive(Debug, Error)]
pub enum NotStaff {
    /// Entra knows the person, and the application gives the person no role of the console's.
    #[error("the person has no role of the staff console")]
    NoRole(Box<Person>),
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

/// What the round trip carries.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Carried {
    return_to: ReturnPath,
}

/// The console's sign-in, at any origin.
pub struct StaffSignIn(SignInApp);

/// The sign-in of one visit.
pub struct StaffSignInAt<'a>(SignIn<'a>);

impl StaffSignIn {
    pub fn new(app: WebApp, refusals: KnownRefusals, clock: Arc<dyn Clock>) -> Self {
        Self(SignInApp::new(app, &SITE, refusals, clock))
    }

    /// `origin` is where the staff see the console, and where Entra sends them back to.
    pub fn at(&self, origin: Origin) -> StaffSignInAt<'_> {
        StaffSignInAt(self.0.at(origin))
    }
}

impl StaffSignInAt<'_> {
    /// Redirects to Entra, which asks for nothing if it knows the person. `return_to` is where the person
    /// goes on to after the sign-in; the console's first page if it is no local path.
    pub async fn begin(&self, return_to: &str, sent: &HeaderMap) -> Result<Response, SignInError> {
        self.begin_with(return_to, Prompt::OnlyIfNeeded, sent).await
    }

    /// The same with an account that the person selects, for those who signed in with the wrong one.
    pub async fn begin_with_another_account(
        &self,
        return_to: &str,
        sent: &HeaderMap,
    ) -> Result<Response, SignInError> {
        self.begin_with(return_to, Prompt::SelectAccount, sent).await
    }

    async fn begin_with(
        &self,
        return_to: &str,
        prompt: Prompt,
        sent: &HeaderMap,
    ) -> Result<Response, SignInError> {
        let start = || ReturnPath::parse(START).expect("a local path");
        let return_to = ReturnPath::parse(return_to).unwrap_or_else(start);
        self.0.begin(Carried { return_to }, prompt, sent).await
    }

    /// Handles Entra's redirect back to us. Begins a session with the highest of the person's roles, and
    /// redirects to where the person came from.
    pub async fn finish(&self, request: &Request) -> Result<Response, NotStaff> {
        let begin = |person: Person, Carried { return_to }, expires| {
            let Some(role) = StaffRole::highest(&person) else {
                return Err(NotStaff::NoRole(Box::new(person)));
            };
            let staff = Staff::new(person, role, expires)
                .map_err(|invalid| SignInError::from(Untrusted::Token(invalid)))?;
            Ok((staff, return_to.into()))
        };
        self.0.finish(request, begin).await
    }

    /// Who is signed in. `None` if there is no session, or if it is over.
    pub async fn staff(&self, headers: &HeaderMap) -> Result<Option<Staff>, SignInError> {
        Ok(match self.0.visitor(headers).await? {
            Visitor::SignedIn(staff) => Some(staff),
            Visitor::SignedOut(_) | Visitor::Unknown => None,
        })
    }

    /// Where the person of a sign-in that came to nothing wanted to go.
    pub async fn return_path(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<ReturnPath>, SignInError> {
        let carried: Option<Carried> = self.0.carried(headers).await?;
        Ok(carried.map(|carried| carried.return_to))
    }

    /// Redirects to `to`, and makes the browser forget the session and any sign-in under way.
    pub fn sign_out(&self, to: &str, sent: &HeaderMap) -> Response {
        self.0.end(to, sent)
    }

    /// Where a person ends the session at Entra itself.
    pub fn sign_out_address(&self) -> Url {
        self.0.sign_out_address()
    }

    /// Whether the browser sends a cookie of the console's.
    pub fn has_cookie(&self, headers: &HeaderMap) -> bool {
        self.0.has_cookie(headers)
    }

    /// Whether a form comes from the console's own origin, as far as the browser says. The CSRF token must be
    /// checked as well.
    pub fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        self.0.is_same_origin(headers)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_role_permits_what_the_ones_before_it_permit() {
        use StaffRole::{Admin, Operator, Viewer};
        for (role, permitted) in
            [(Viewer, &[Viewer][..]), (Operator, &[Viewer, Operator]), (Admin, &StaffRole::ALL)]
        {
            for needed in StaffRole::ALL {
                assert_eq!(role.permits(needed), permitted.contains(&needed), "{role} {needed}");
            }
        }
    }

    #[test]
    fn a_session_is_read_in_the_form_in_which_browsers_hold_it() {
        let session = json!({
            "objectId": "66666666-6666-4666-8666-666666666666",
            "name": "Olof",
            "userName": "olof@fabrikam.example",
            "role": "Operator",
            "csrfToken": "a CSRF token",
            "expires": "2026-03-01T10:00:00Z",
        });
        let staff: Staff = serde_json::from_value(session.clone()).expect("a session");
        assert!(staff.owns_form_with("a CSRF token") && !staff.owns_form_with("another"));
        let text = format!("{staff:?}");
        for secret in ["Olof", "olof", "a CSRF token"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(serde_json::to_value(staff).expect("JSON"), session);
        for role in [json!("Owner"), json!("admin"), json!(""), Value::Null] {
            let mut other = session.clone();
            other["role"] = role.clone();
            assert!(serde_json::from_value::<Staff>(other).is_err(), "{role}");
        }
        let carried = json!({ "returnTo": "//evil.example" });
        assert!(serde_json::from_value::<Carried>(carried).is_err());
    }
}
