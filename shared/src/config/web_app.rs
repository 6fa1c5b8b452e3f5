//! The settings of an app registration that people sign in to.

use std::sync::Arc;

use uuid::Uuid;

use super::credential::CredentialNames;
use super::guid::Guid;
use super::microsoft::Microsoft;
use super::secret::{given, one_of_all};
use crate::host::environment::{ConfigError, Environment, parse};
use crate::host::http_client::Transport;
use crate::host::secret::ClientSecret;
use crate::microsoft::entra::{SHORTEST_COOKIE_KEY, WebApp, are_cookie_keys};

/// The names of one application's settings.
pub(super) struct WebAppNames {
    pub(super) client_id: &'static str,
    pub(super) client_purpose: &'static str,
    pub(super) credential: &'static CredentialNames,
    /// One key or several, which the JSON of all secrets may hold, too.
    pub(super) cookie_key: &'static str,
}

impl WebAppNames {
    /// `tenant_id` is the directory whose people alone may sign in; `None`: any.
    pub(super) fn read(
        &self,
        environment: &Environment,
        microsoft: &Microsoft,
        tenant_id: Option<Uuid>,
    ) -> Result<WebApp, ConfigError> {
        let Self { client_id: name, client_purpose: purpose, .. } = *self;
        let client_id = environment.require(name, purpose)?;
        let transport = &microsoft.transport;
        Ok(WebApp {
            authority: microsoft.authority.clone(),
            tenant_id,
            client_id: parse::<Guid>(name, &client_id, purpose)?.0,
            credential: self.credential.read(environment, transport)?,
            cookie_key: self.read_cookie_key(environment, transport)?,
            transport: transport.clone(),
        })
    }

    fn read_cookie_key(
        &self,
        environment: &Environment,
        transport: &Arc<dyn Transport>,
    ) -> Result<Option<ClientSecret>, ConfigError> {
        const PURPOSE: &str = "the cookies' key: a random text, or a new one and the old one";
        let name = self.cookie_key;
        let one_of_all = one_of_all(environment, transport, name)?;
        match environment.get(name) {
            None => Ok(one_of_all),
            Some(keys) if !are_cookie_keys(&keys) => {
                let problem = format!("must have at least {SHORTEST_COOKIE_KEY} characters");
                Err(ConfigError { name, problem, purpose: PURPOSE })
            }
            Some(keys) => given(name, &keys, PURPOSE).map(Some),
        }
    }
}
