//! Answers a call: injects faults, checks the request, processes it, and logs it.

use super::super::call::Call;
use super::super::faults::{FaultKind, with_fault};
use super::super::state::World;
use super::route::{self, Route};
use super::tracking::Tracking;
use crate::wire::{Answer, ApiRequest, Reply};

impl World {
    /// A call to the marketplace. The path starts at `/saas/…`.
    pub fn marketplace(&mut self, request: &ApiRequest) -> Answer {
        let route = route::find(&request.method, &request.path);
        let call = route.as_ref().map_or(Call::Unknown, Route::call);
        let fault = self.faults.strike(call);
        let answer = self.answer(request, route, fault);
        self.log_call(call, request, &answer, true);
        answer
    }

    fn answer(
        &mut self,
        request: &ApiRequest,
        route: Result<Route, Reply>,
        fault: Option<FaultKind>,
    ) -> Answer {
        let tracking = match self.tracking(request) {
            Ok(tracking) => tracking,
            Err(refusal) => return refusal.into(),
        };
        let mut answer = with_fault(fault, || match self.admit(request, route) {
            Ok(route) => self.process(request, route, &tracking),
            Err(refusal) => refusal,
        });
        tracking.tag(&mut answer);
        answer
    }

    fn process(&mut self, request: &ApiRequest, route: Route, tracking: &Tracking) -> Reply {
        match route {
            Route::Resolve => self.resolve(request),
            Route::List => self.list(request),
            Route::Get(id) => self.get(id),
            Route::Plans(id) => self.plans(id, request),
            Route::Activate(id) => self.activate(id, request),
            Route::Update(id) => self.update(id, request, tracking),
            Route::Delete(id) => self.delete(id, tracking),
            Route::ListOperations(id) => self.list_operations(id),
            Route::GetOperation(id, operation) => self.get_operation(id, &operation),
            Route::UpdateOperation(id, operation) => self.update_operation(id, &operation, request),
        }
    }
}
