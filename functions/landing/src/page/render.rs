//! Turns a page into HTML, with the status of its answer.

use askama::Template;
use http::StatusCode;
use shared::domain::{ActivationRequest, CustomerOperation, Status, Subscription};

use super::Page;
use super::change::{ChangeSummary, plan_choices};
use super::frame::Frame;
use super::handover::HandoverWords;
use super::inputs::Inputs;
use super::purchase::{PurchaseSummary, confirmation_deadline};
use super::requested::RequestedChange;
use super::steps::{Stage, steps};
use super::views::{
    ActiveView, ChangeView, ColleagueView, DeclinedView, HandoverView, ManageView, Other,
    PendingView, SignUpView, SuspendedView, UnknownView, UnsubscribedView, WaitingView,
};
use crate::language::fill;
use crate::manage::may_change;
use crate::purchase::Opened;
use crate::sign_up_form::SignUpForm;

pub(super) fn render<'a>(page: Page<'a>, frame: Frame<'a>) -> (StatusCode, askama::Result<String>) {
    let summary = |opened: &Opened| PurchaseSummary::of(opened, &frame);
    let rendered = match page {
        Page::Pending { opened, token, form } => {
            let status = status_of(&form);
            let view = PendingView {
                frame,
                purchase: summary(opened),
                token,
                inputs: Inputs::of(&form, &frame),
                deadline: confirmation_deadline(&opened.record, frame.language, opened.now),
                words: frame.brand.sign_up.is_some().then(|| HandoverWords::of(&frame)),
                steps: steps(&frame, Stage::Confirm, opened.record.subscription.is_free_trial),
            };
            return (status, view.render());
        }
        Page::Waiting(opened) => {
            let record = &opened.record;
            let since = match record.activation {
                Some(ActivationRequest::AwaitsPublisher { since }) => Some(since),
                Some(ActivationRequest::AwaitsMicrosoft { .. }) | None => None,
            };
            let by_publisher = since.is_some();
            let since = since
                .map(|at| fill(&frame.t().preparing.since, &[("date", &frame.language.day(at))]));
            let is_approved = record.approved().is_some();
            let reached = if by_publisher { Stage::Prepare } else { Stage::Activate };
            let steps = steps(&frame, reached, record.subscription.is_free_trial);
            // The publisher's page may not have been finished.
            let goes_on = by_publisher && frame.brand.sign_up.is_some() && frame.session.is_some();
            let words = goes_on.then(|| HandoverWords::of(&frame));
            let purchase = summary(opened);
            WaitingView { frame, purchase, by_publisher, since, is_approved, words, steps }.render()
        }
        Page::Declined(opened) => {
            let decision = opened.record.declined();
            let reason = decision.and_then(|decision| decision.ruling.reason.as_deref());
            let has_ended = *opened.record.status() == Status::Unsubscribed;
            DeclinedView { frame, purchase: summary(opened), reason, has_ended }.render()
        }
        Page::SignUp { opened, token, form } => {
            let status = status_of(&form);
            let sign_up = SignUpView { token, inputs: Inputs::of(&form, &frame) };
            return (status, active(opened, frame, Some(sign_up)).render());
        }
        Page::Existing(opened) => render_existing(opened, frame),
        Page::Colleague { subscription, plans, is_form, now } => {
            let status = if is_form { StatusCode::FORBIDDEN } else { StatusCode::OK };
            let purchase = PurchaseSummary::for_colleague(subscription, plans, now, &frame);
            let shown = status_name(&subscription.saas_subscription_status, &frame);
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
        Page::Handover { opened, to, handover } => {
            let words = HandoverWords::of(&frame);
            let purchase = summary(opened);
            HandoverView { frame, purchase, words, to: to.as_str(), handover }.render()
        }
        Page::Notice(notice) => return notice.render(frame),
    };
    (StatusCode::OK, rendered)
}

fn render_existing<'a>(opened: &'a Opened, frame: Frame<'a>) -> askama::Result<String> {
    let record = &opened.record;
    let purchase = PurchaseSummary::of(opened, &frame);
    let customer_may_change = record.subscription.allows(&CustomerOperation::Update);
    match record.status() {
        Status::Subscribed => active(opened, frame, None).render(),
        Status::Suspended => {
            let others = others(opened, &frame);
            SuspendedView { frame, purchase, customer_may_change, others }.render()
        }
        Status::Unsubscribed => {
            let others = others(opened, &frame);
            UnsubscribedView { frame, purchase, others }.render()
        }
        Status::PendingFulfillmentStart | Status::Other(_) => {
            UnknownView { frame, purchase }.render()
        }
    }
}

fn status_of(form: &SignUpForm) -> StatusCode {
    if form.errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST }
}

fn active<'a>(
    opened: &'a Opened,
    frame: Frame<'a>,
    sign_up: Option<SignUpView<'a>>,
) -> ActiveView<'a> {
    let was_auto_activated = opened.record.claim.is_some();
    let goes_on = was_auto_activated && frame.brand.sign_up.is_some() && frame.session.is_some();
    ActiveView {
        frame,
        words: goes_on.then(|| HandoverWords::of(&frame)),
        purchase: PurchaseSummary::of(opened, &frame),
        has_signed_up: was_auto_activated && opened.record.sign_up.is_some() && sign_up.is_none(),
        sign_up,
        requested: RequestedChange::of(opened, &frame),
        customer_may_change: opened.record.subscription.allows(&CustomerOperation::Update),
        may_manage: may_change(opened, &CustomerOperation::Update)
            || may_change(opened, &CustomerOperation::Delete),
        others: others(opened, &frame),
    }
}

/// The person's other subscriptions.
fn others<'a>(opened: &'a Opened, frame: &Frame<'a>) -> Vec<Other<'a>> {
    let other = |subscription: &'a Subscription| Other {
        name: subscription.name.clone().unwrap_or_else(|| subscription.id.to_string()),
        offer: frame.offer_name(subscription),
        status: status_name(&subscription.saas_subscription_status, frame),
    };
    opened.others.iter().map(other).collect()
}

fn status_name<'a>(status: &'a Status, frame: &Frame<'a>) -> &'a str {
    let phrases = frame.t();
    match status {
        Status::PendingFulfillmentStart => &phrases.colleague.pending,
        Status::Subscribed => &phrases.active.status,
        Status::Suspended => &phrases.suspended.status,
        Status::Unsubscribed => &phrases.unsubscribed.status,
        Status::Other(_) => &phrases.unknown.status,
    }
}
