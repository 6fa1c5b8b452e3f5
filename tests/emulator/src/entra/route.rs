//! Which path of Entra is which call.

use super::directory::Entra;
use super::sign_in_page::signed_out_page;
use crate::settings::TokenVersion;
use crate::wire::{ApiRequest, Reply};
use http::Method;

impl Entra {
    /// A call to Entra. The path starts with the tenant.
    pub(crate) fn call(&mut self, request: &ApiRequest) -> Reply {
        let segments: Vec<&str> =
            request.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let (v1, v2) = (TokenVersion::V1, TokenVersion::V2);
        let (is_get, is_post) = (request.method == Method::GET, request.method == Method::POST);
        match segments.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] if is_post => self.token(tenant, request, v2),
            [tenant, "oauth2", "token"] if is_post => self.token(tenant, request, v1),
            [tenant, "oauth2", "v2.0", "authorize"] if is_get => self.authorize(tenant, request),
            [_, "oauth2", "v2.0", "logout"] if is_get => signed_out_page(),
            [tenant, ".well-known", "openid-configuration"] if is_get => self.discovery(tenant, v1),
            [tenant, "v2.0", ".well-known", "openid-configuration"] if is_get => {
                self.discovery(tenant, v2)
            }
            [tenant, "discovery", "v2.0", "keys"] | [tenant, "discovery", "keys"] if is_get => {
                self.key_document(tenant, request)
            }
            _ => Reply::empty(404),
        }
    }
}
