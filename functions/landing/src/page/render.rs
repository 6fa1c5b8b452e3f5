//! Turns a page into HTML, with the status of its answer.

use askama::Template;
use http::StatusCode;
use shared::domain::{ActivationRequest, CustomerOperation, Status};

use super::Page;
use super::change::{ChangeSummary, plan_choices};
use super::frame::Frame;
use super::inputs::Inputs;
use super::purchase::{PurchaseSummary, confirmation_deadline};
use super::requested::RequestedChange;
use super::steps::{Stage, steps};
use super::views::{
    ActiveView, ChangeView, ColleagueView, ManageView, PendingView, SuspendedView, UnknownView,
    UnsubscribedView, WaitingView,
};
use crate::manage::may_change;
use crate::purchase::Opened;

pub(super) fn render(page: Page<'_>, frame: Frame<'_>) -> (StatusCode, askama::Result<String>) {
    let summary = |opened: &Opened| PurchaseSummary::of(opened, &frame);
    let rendered = match page {
        Page::Pending { opened, token, form } => {
            let status = match form.errors.is_empty() {
                true => StatusCode::OK,
                false => StatusCode::BAD_REQUEST,
            };
            let view = PendingView {
                frame,
                purchase: summary(opened),
                token,
                inputs: Inputs::of(&form, &frame),
                deadline: confirmation_deadline(&opened.record, frame.language, opened.now),
                steps: steps(&frame, Stage::Confirm, opened.record.subscription.is_free_trial),
            };
            return (status, view.render());
        }
        Page::Waiting(opened) => {
            let by_publisher =
                matches!(opened.record.activation, Some(ActivationRequest::AwaitsPublisher { .. }));
            let reached = if by_publisher { Stage::Prepare } else { Stage::Activate };
            let steps = steps(&frame, reached, opened.record.subscription.is_free_trial);
            WaitingView { frame, purchase: summary(opened), by_publisher, steps }.render()
        }
        Page::Existing(opened) => render_existing(opened, frame),
        Page::Colleague { subscription, plans, is_form, now } => {
            let status = if is_form { StatusCode::FORBIDDEN } else { StatusCode::OK };
            let purchase = PurchaseSummary::for_colleague(subscription, plans, now, &frame);
            let phrases = frame.t();
            let shown = match &subscription.saas_subscription_status {
                Status::PendingFulfillmentStart => &phrases.colleague.pending,
                Status::Subscribed => &phrases.active.status,
                Status::Suspended => &phrases.suspended.status,
                Status::Unsubscribed => &phrases.unsubscribed.status,
                Status::Other(word) => word,
            };
            return (status, ColleagueView { frame, purchase, status: shown }.render());
        }
        Page::Manage { opened, options, csrf_token } => {
            let plans = plan_choices(&options.plans, opened, &frame);
            let requested = RequestedChange::of(opened, &frame);
            let purchase = summary(opened);
            ManageView { frame, purchase, requested, plans, options, csrf_token }.render()
        }
        Page::Change { opened, request, csrf_token } => {
            let change = ChangeSummary::of(request, opened, &frame);
            ChangeView { frame, purchase: summary(opened), change, csrf_token }.render()
        }
        Page::Notice(notice) => return notice.render(frame),
    };
    (StatusCode::OK, rendered)
}

fn render_existing(opened: &Opened, frame: Frame<'_>) -> askama::Result<String> {
    let record = &opened.record;
    let purchase = PurchaseSummary::of(opened, &frame);
    let customer_may_change = record.subscription.allows(&CustomerOperation::Update);
    match record.status() {
        Status::Subscribed => {
            let may_manage = may_change(opened, &CustomerOperation::Update)
                || may_change(opened, &CustomerOperation::Delete);
            let requested = RequestedChange::of(opened, &frame);
            ActiveView { frame, purchase, requested, customer_may_change, may_manage }.render()
        }
        Status::Suspended => SuspendedView { frame, purchase, customer_may_change }.render(),
        Status::Unsubscribed => UnsubscribedView { frame, purchase }.render(),
        Status::PendingFulfillmentStart | Status::Other(_) => {
            UnknownView { frame, purchase, status: record.status().as_str() }.render()
        }
    }
}
