//! Calls to Entra, through the same faults and the same log as the marketplace's.

use super::World;
use super::api::{Answer, ApiRequest};
use super::marketplace::with_fault;
use crate::entra::Entra;

impl World {
    /// A call to Entra. The path starts with the tenant.
    pub fn entra_call(&mut self, request: &ApiRequest) -> Answer {
        let call = Entra::call_of(&request.path);
        let fault = self.faults.strike(call);
        let answer = with_fault(fault, || self.entra.call(request));
        // Secrets, codes and tokens travel here: neither bodies nor queries are written down.
        self.log_call(call, request, &answer, false);
        answer
    }
}
