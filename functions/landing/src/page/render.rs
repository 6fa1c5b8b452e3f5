//! Turns a page into HTML, with the status of its answer.

use askama::Template;
use http::StatusCode;
use shared::domain::{ActivationRequest, CustomerOperation, Record, Status};

use super::Page;
use super::frame::Frame;
use super::inputs::Inputs;
use super::purchase::{ChangeSummary, PurchaseSummary, confirmation_deadline};
use super::views::{
    ActiveView, ChangeView, ColleagueView, ManageView, PendingView, SuspendedView, UnknownView,
    UnsubscribedView, WaitingView,
};
use crate::manage::may_change;
use crate::purchase::Opened;

pub(super) fn render(page: Page<'_>, frame: Frame<'_>) -> (StatusCode, askama::Result<String>) {
    let summary = |record: &Record| PurchaseSummary::of(record, frame.language);
    let rendered = match page {
        Page::Pending { record, token, form, now } => {
            let status = match form.errors.is_empty() {
                true => StatusCode::OK,
                false => StatusCode::BAD_REQUEST,
            };
            let view = PendingView {
                frame,
                purchase: summary(record),
                token,
                inputs: Inputs::of(&form, &frame),
                deadline: confirmation_deadline(record, frame.language, now),
            };
            return (status, view.render());
        }
        Page::Waiting(record) => {
            let by_publisher =
                matches!(record.activation, Some(ActivationRequest::AwaitsPublisher { .. }));
            WaitingView { frame, purchase: summary(record), by_publisher }.render()
        }
        Page::Existing(opened) => render_existing(opened, frame),
        Page::Colleague { subscription, is_form } => {
            let status = if is_form { StatusCode::FORBIDDEN } else { StatusCode::OK };
            let purchase = PurchaseSummary::for_colleague(subscription, frame.language);
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
        Page::Manage { record, options, csrf_token } => {
            ManageView { frame, purchase: summary(record), options, csrf_token }.render()
        }
        Page::Change { record, options, request, csrf_token } => {
            let change = ChangeSummary::of(request, options, frame.language);
            ChangeView { frame, purchase: summary(record), change, csrf_token }.render()
        }
        Page::Notice(notice) => return notice.render(frame),
    };
    (StatusCode::OK, rendered)
}

fn render_existing(opened: &Opened, frame: Frame<'_>) -> askama::Result<String> {
    let record = &opened.record;
    let purchase = PurchaseSummary::of(record, frame.language);
    let customer_may_change = record.subscription.allows(&CustomerOperation::Update);
    match record.status() {
        Status::Subscribed => {
            let may_manage = may_change(opened, &CustomerOperation::Update)
                || may_change(opened, &CustomerOperation::Delete);
            ActiveView { frame, purchase, customer_may_change, may_manage }.render()
        }
        Status::Suspended => SuspendedView { frame, purchase, customer_may_change }.render(),
        Status::Unsubscribed => UnsubscribedView { frame, purchase }.render(),
        Status::PendingFulfillmentStart | Status::Other(_) => {
            UnknownView { frame, purchase, status: record.status().as_str() }.render()
        }
    }
}
