//! Flows in which Microsoft's reads, its list or its calls are behind, or leave something out.

use std::time::Duration;

use emulator::{Call, Fault, FaultKind, Times};
use http::Method;
use serde_json::json;
use shared::flows::request_change::ChangeRequest;
use uuid::Uuid;

use super::Flow;
use super::script::{AFTER_SETTLING, READ_LAG};
use crate::run::{Purpose, Run};

/// How far the list lags behind: longer than a read may contradict the record as a late one.
const LIST_LAG: Duration = Duration::from_secs(300);

/// How old the change is when Microsoft first calls: by its own time, reads would show it by then.
const CALLED_AFTER: Duration = Duration::from_secs(20 * 60);

/// By then Microsoft has accepted a change that it called about (F-WHA-10).
const ACCEPTED_AFTER: Duration = Duration::from_secs(11);

/// Longer than a month, so a term is over.
const A_TERM: Duration = Duration::from_secs(32 * 24 * 60 * 60);

impl Run {
    /// What such a flow starts from.
    pub(super) fn set_up_lag(&mut self, flow: Flow, id: Uuid) {
        match flow {
            // Old enough for late reads to know the purchase.
            Flow::ActivateAgain => self.world(|world| world.advance(AFTER_SETTLING)),
            Flow::ChangePlanOfSeats => {
                self.world(|world| world.settings_mut().oddities.seats_only_if_requested = true);
                self.microsoft(|world| world.change_plan(id, "basic"));
            }
            Flow::ChangeTerm => {
                self.world(|world| world.advance(2 * CALLED_AFTER));
                self.microsoft(|world| world.change_plan(id, "yearly"));
            }
            Flow::ChangeCalledLate => {
                self.microsoft(|world| world.change_quantity(id, 20));
                self.world(|world| world.advance(CALLED_AFTER));
            }
            Flow::ChangeNotShown => {
                self.world(|world| world.settings_mut().behaviour.operation_delay = READ_LAG);
                self.microsoft(|world| world.change_quantity(id, 20));
            }
            Flow::ReinstateReadLate | Flow::ReinstateGivenUp => {
                self.microsoft(|world| world.suspend(id));
                self.deliver();
                self.world(|world| world.advance(2 * AFTER_SETTLING));
                self.microsoft(|world| world.reinstate(id));
            }
            Flow::RejectThenChange => {
                self.microsoft(|world| world.change_quantity(id, 20));
                self.fail_always(Call::UpdateOperation);
            }
            Flow::RenewLate => {
                self.world(|world| world.advance(A_TERM));
                self.microsoft(|world| world.renew(id));
            }
            Flow::SuspendLate => {
                self.world(|world| {
                    world.advance(AFTER_SETTLING);
                    world.settings_mut().behaviour.keeps_changes_only = true;
                });
                self.microsoft(|world| world.suspend(id));
            }
            Flow::ReconcileBehind => {
                self.world(|world| world.advance(LIST_LAG));
                self.microsoft(|world| world.suspend(id));
                self.deliver();
                self.world(|world| world.advance(AFTER_SETTLING));
            }
            _ => {}
        }
    }

    pub(super) fn act_with_lag(&mut self, flow: Flow, id: Uuid) {
        match flow {
            Flow::ActivateAgain => {
                self.read_late();
                for _ in 0..2 {
                    let path = format!("{id}/activate");
                    self.call(Purpose::Activate(id), Method::POST, &path, "");
                    self.finish();
                }
            }
            Flow::ChangeCalledLate => {
                self.send_due();
                self.world(|world| world.advance(ACCEPTED_AFTER));
                self.read_late();
            }
            Flow::RenewLate | Flow::SuspendLate | Flow::SubscribeTooYoung => self.read_late(),
            Flow::EditedNotice => {
                self.request_change(id, ChangeRequest::Seats(20), None);
                self.finish();
                self.world(|world| world.lose_deliveries());
                self.send_edited(id, &json!({ "action": "Renew" }));
            }
            Flow::RejectThenChange => {
                self.deliver();
                self.world(|world| world.faults_mut().clear());
                self.request_change(id, ChangeRequest::Seats(33), None);
            }
            Flow::ReinstateReadLate => {
                self.deliver();
                self.read_late();
                self.call(Purpose::Manage, Method::POST, &format!("{id}/observe"), "");
            }
            Flow::ReinstateGivenUp => {
                self.world(|world| world.settings_mut().behaviour.retry_window = Duration::ZERO);
                self.fail_always(Call::GetSubscription);
                self.deliver();
                self.world(|world| {
                    world.faults_mut().clear();
                    world.advance(AFTER_SETTLING);
                });
                self.send_edited(id, &json!({ "action": "Reinstate" }));
            }
            Flow::ReconcileBehind => {
                self.world(|world| world.settings_mut().behaviour.stale_list = Some(LIST_LAG));
                self.start_reconciliation();
            }
            _ => {}
        }
    }

    fn fail_always(&mut self, call: Call) {
        let fault = Fault { call, kind: FaultKind::DropBefore, times: Times::Always };
        self.world(|world| world.faults_mut().add(fault));
    }

    fn read_late(&mut self) {
        self.world(|world| world.settings_mut().behaviour.stale_reads = Some(READ_LAG));
    }
}
