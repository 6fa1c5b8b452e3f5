//! Calls to Entra, with the faults and the log that the marketplace's calls have.

use super::call::Call;
use super::faults::with_fault;
use super::state::World;
use super::way;
use crate::settings::Behaviour;
use crate::wire::{Answer, ApiRequest};

impl World {
    /// A call to Entra. The path starts with the tenant.
    pub fn entra_call(&mut self, request: &ApiRequest) -> Answer {
        let call = call_of(&request.path);
        let fault = self.faults.strike(call);
        let answer = with_fault(fault, || self.entra.call(request));
        let is_issued = answer.reply().is_some_and(|reply| reply.status == 200);
        let is_odd = self.entra.token_lifetime() != Behaviour::default().token_lifetime;
        self.count_if(call == Call::Token && is_issued && is_odd, way::ODD_TOKEN_LIFETIME);
        // Bodies and queries hold secrets, codes and tokens, so the log leaves them out.
        self.log_call(call, request, &answer, false);
        answer
    }
}

fn call_of(path: &str) -> Call {
    if path.ends_with("/token") {
        Call::Token
    } else if path.ends_with("/openid-configuration") {
        Call::Discovery
    } else if path.ends_with("/keys") {
        Call::Keys
    } else if path.ends_with("/authorize") {
        Call::Authorize
    } else {
        Call::Unknown
    }
}
