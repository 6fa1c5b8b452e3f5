//! A change that is under way, in a buyer's words.

use shared::domain::OwnRequest;

use super::frame::Frame;
use crate::language::fill;
use crate::purchase::Opened;
use crate::under_way::UnderWay;

pub(super) struct RequestedChange<'a> {
    pub(super) title: String,
    pub(super) text: &'a str,
}

impl<'a> RequestedChange<'a> {
    pub(super) fn of(opened: &Opened, frame: &Frame<'a>) -> Option<Self> {
        let UnderWay { request, is_received } = UnderWay::of(opened)?;
        let phrases = &frame.t().requested;
        let of_request = |own| title(own, opened, frame);
        let title = request.map_or_else(|| phrases.other.clone(), of_request);
        Some(Self { title, text: if is_received { &phrases.text } else { &phrases.unknown } })
    }
}

fn title(own: &OwnRequest, opened: &Opened, frame: &Frame<'_>) -> String {
    let phrases = &frame.t().requested;
    match (&own.plan_id, own.quantity) {
        (Some(plan), _) => {
            let name = frame.plan_name(&opened.record.subscription, &opened.plans, plan);
            fill(&phrases.plan, &[("plan", name)])
        }
        (None, Some(seats)) => frame.language.counted(&phrases.seats, seats),
        (None, None) => phrases.cancel.clone(),
    }
}
