//! What happens in each flow.

use std::time::Duration;

use emulator::{Action, Call, FaultKind, Person, Purchase, Refused, Times, World};
use http::Method;
use serde_json::json;
use shared::domain::SubscriptionId;
use shared::flows::request_change::ChangeRequest;
use uuid::Uuid;

use super::Flow;
use crate::io::Ask;
use crate::run::{Purpose, Run};

/// How far late reads lag behind.
pub(super) const READ_LAG: Duration = Duration::from_secs(20);

/// Longer than a read may contradict the record as a late one.
pub(super) const AFTER_SETTLING: Duration = Duration::from_secs(61);

/// Longer than a sweep waits for the stream to deliver new events.
const AFTER_STREAM_HEAD_START: Duration = Duration::from_secs(121);

impl Run {
    /// Creates everything that the flow starts from.
    pub(super) fn set_up(&mut self, flow: Flow) -> Uuid {
        let purchase = match flow {
            Flow::Subscribe | Flow::SubscribeTooYoung => {
                Purchase::flat_rate("auto").auto_activated()
            }
            Flow::ChangePlan
            | Flow::RejectPlan
            | Flow::RejectByAnswer
            | Flow::ProductAcceptsPlan
            | Flow::EditedPlan
            | Flow::ChangeTerm
            | Flow::ChangeOfUnknown => Purchase::flat_rate("silver"),
            // The rules allow the change to `team` with these seats, and not with more.
            Flow::BuyerPlan => Purchase::per_seat("basic", 10),
            _ => Purchase::per_seat("team", 10),
        };
        let id = self.io.world(|world| world.purchase(purchase));
        match flow {
            Flow::Visit
            | Flow::Confirm
            | Flow::HandOver
            | Flow::ActivateAgain
            | Flow::SignInAndConfirm => {}
            Flow::BuyerPlan | Flow::BuyerRejected | Flow::BuyerCancel => {
                self.sign_in_and_confirm(id);
                self.finish();
            }
            Flow::Subscribe | Flow::SubscribeTooYoung => self.activated_by_microsoft(id),
            Flow::ChangeOfUnknown | Flow::ReconcileOvertaken => {
                // Another deployment activated it, so our table has no record.
                self.confirm(id);
                self.finish();
                self.forget(id);
            }
            _ => {
                self.confirm(id);
                self.finish();
            }
        }
        match flow {
            Flow::Revert => {
                self.microsoft(|world| world.change_quantity(id, 20));
                self.deliver();
                self.microsoft(|world| world.revert(id));
            }
            Flow::Reinstate | Flow::ReinstateOfUnknown | Flow::ReconcileReinstatement => {
                self.microsoft(|world| world.suspend(id));
                self.deliver();
                // Let the settling window pass before the flow begins.
                self.world(|world| world.advance(Duration::from_secs(120)));
                self.microsoft(|world| world.reinstate(id));
            }
            Flow::ReinstateOvertaken => {
                self.microsoft(|world| world.suspend(id));
                self.microsoft(|world| world.reinstate(id));
            }
            Flow::ChangePlan
            | Flow::RejectPlan
            | Flow::ProductAcceptsPlan
            | Flow::EditedPlan
            | Flow::ChangeOfUnknown => {
                self.microsoft(|world| world.change_plan(id, "gold"));
            }
            Flow::RejectByAnswer => {
                self.microsoft(|world| world.change_plan(id, "gold"));
                let (call, kind) = (Call::UpdateOperation, FaultKind::DropBefore);
                let fault = emulator::Fault { call, kind, times: Times::Always };
                self.world(|world| world.faults_mut().add(fault));
            }
            Flow::ReconcileLate => {
                self.world(|world| world.advance(READ_LAG));
                self.microsoft(|world| world.change_quantity(id, 20));
            }
            Flow::ChangeQuantity | Flow::RejectQuantity | Flow::ProductRejectsQuantity => {
                self.microsoft(|world| world.change_quantity(id, 20));
            }
            Flow::Renew => self.microsoft(|world| world.renew(id)),
            Flow::Suspend => self.microsoft(|world| world.suspend(id)),
            Flow::Unsubscribe => self.microsoft(|world| world.unsubscribe(id)),
            Flow::Reconcile | Flow::PublisherObserves => {
                self.microsoft(|world| world.suspend(id));
                self.world(|world| world.lose_deliveries());
            }
            _ => self.set_up_lag(flow, id),
        }
        if flow == Flow::ReinstateOfUnknown {
            self.forget(id);
        }
        if flow == Flow::ReconcileReinstatement {
            self.world(|world| world.lose_deliveries());
        }
        id
    }

    /// Runs the flow itself. The webhook calls that are due arrive at its end.
    pub(super) fn act(&mut self, flow: Flow, id: Uuid) {
        match flow {
            Flow::Visit => self.open(id),
            Flow::Confirm | Flow::HandOver => self.confirm(id),
            Flow::SignInAndConfirm => self.sign_in_and_confirm(id),
            Flow::BuyerPlan => self.buyer_wants(id, ChangeRequest::Plan("team".to_owned())),
            Flow::BuyerRejected => self.buyer_wants(id, ChangeRequest::Seats(20)),
            Flow::BuyerCancel => self.buyer_wants(id, ChangeRequest::Cancel),
            Flow::Activate => {
                self.call(Purpose::Activate(id), Method::POST, &format!("{id}/activate"), "")
            }
            Flow::PublisherPlan => {
                self.request_change(id, ChangeRequest::Plan("basic".to_owned()), None)
            }
            Flow::PublisherRepeatsRequest => {
                self.request_change(id, ChangeRequest::Seats(20), Some("the-same"));
                self.finish();
                self.request_change(id, ChangeRequest::Seats(20), Some("the-same"));
            }
            Flow::CustomerWantsTheSame => {
                self.request_change(id, ChangeRequest::Seats(20), None);
                self.finish();
                // Microsoft refuses it if it has the publisher's request.
                let _ = self.io.world(|world| world.change_quantity(id, 20));
            }
            Flow::PublisherForVersion => {
                let record = self.table.record(SubscriptionId(id));
                let version = record.map_or(0, |record| record.version);
                let if_match = Some((format!("\"{version}\""), vec![version]));
                self.ask(Ask {
                    id,
                    wanted: ChangeRequest::Seats(20),
                    declines: None,
                    key: None,
                    if_match,
                });
            }
            Flow::PublisherObserves => {
                self.call(Purpose::Manage, Method::POST, &format!("{id}/observe"), "")
            }
            Flow::PublisherQuantity => self.request_change(id, ChangeRequest::Seats(20), None),
            Flow::PublisherCancel => self.request_change(id, ChangeRequest::Cancel, None),
            Flow::Reconcile | Flow::ReconcileReinstatement => self.start_reconciliation(),
            Flow::DeliverFromStream => self.start_stream(usize::MAX),
            Flow::DeliverFromSweep => {
                drop(self.table.take_stream(usize::MAX, |_| true));
                self.world(|world| world.advance(AFTER_STREAM_HEAD_START));
                self.start_sweep();
            }
            Flow::Redeliver => {
                self.start_stream(usize::MAX);
                self.finish();
                self.redeliver(id, &json!({ "fromVersion": 1 }));
                self.finish();
                self.start_sweep();
            }
            Flow::EditedPlan => {
                self.send_edited(id, &json!({ "action": "ChangePlan", "planId": "platinum" }))
            }
            Flow::ReconcileLate => {
                self.deliver();
                self.world(|world| world.settings_mut().behaviour.stale_reads = Some(READ_LAG));
                self.start_reconciliation();
            }
            Flow::ReconcileOvertaken => {
                self.io.interleave(true);
                self.start_reconciliation();
                self.run_until_noted(&["GET /api/saas/subscriptions", "load many"]);
                self.microsoft(|world| world.suspend(id));
                self.send_due();
                self.overtake();
                self.world(|world| world.advance(AFTER_SETTLING));
            }
            Flow::ReinstateOvertaken => {
                self.io.interleave(true);
                self.send_due();
                self.in_transit.sort_by_key(|(_, dispatch)| dispatch.action != Action::Reinstate);
                self.arrive(0);
                self.run_until_noted(&["load with mark", "/operations/", "subscriptions/"]);
                self.overtake();
            }
            _ => self.act_with_lag(flow, id),
        }
        self.finish();
        self.deliver();
    }

    /// Deletes a subscription's record and everything else we know of it.
    fn forget(&mut self, id: Uuid) {
        self.table.forget(id);
        self.io.product(|product| product.forget(id));
    }

    /// The customer or Microsoft does something that the emulator must allow here.
    pub(super) fn microsoft<T>(&mut self, act: impl FnOnce(&mut World) -> Result<T, Refused>) {
        drop(self.io.world(act).expect("the flow leads there"));
    }

    pub(super) fn world(&mut self, act: impl FnOnce(&mut World)) {
        self.io.world(act);
    }

    /// Delivers the due webhook calls, each once.
    pub(super) fn deliver(&mut self) {
        self.send_due();
        while !self.in_transit.is_empty() {
            self.arrive(0);
            self.finish();
        }
    }

    fn buyer_wants(&mut self, id: Uuid, wanted: ChangeRequest) {
        let browser = self.browser(&Person::adele(), id);
        self.submit_change(browser, wanted, true, false);
    }

    pub(super) fn request_change(&mut self, id: Uuid, wanted: ChangeRequest, key: Option<&str>) {
        let key = key.map(str::to_owned);
        self.ask(Ask { id, wanted, declines: None, key, if_match: None });
    }
}
