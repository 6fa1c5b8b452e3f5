//! The refusal of an application although its request is right.

use super::directory::Entra;
use crate::settings::ClientRefusal;
use crate::wire::Reply;

impl Entra {
    pub(super) fn refused(&mut self, refusal: ClientRefusal) -> Reply {
        let (status, error, code, message) = match refusal {
            ClientRefusal::SecretExpired => (
                401,
                "invalid_client",
                7_000_222,
                "The provided client secret keys for the application are expired.",
            ),
            ClientRefusal::SecretWrong => {
                (401, "invalid_client", 7_000_215, "Invalid client secret provided.")
            }
            ClientRefusal::ApplicationUnknown => (
                400,
                "unauthorized_client",
                700_016,
                "The application was not found in the directory.",
            ),
            ClientRefusal::TenantUnknown => {
                (400, "invalid_request", 90_002, "The tenant was not found.")
            }
        };
        self.failure(status, error, code, message)
    }
}
