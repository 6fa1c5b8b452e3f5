//! What happens between a purchase and the first use, step by step.

use std::borrow::Cow;

use shared::config::ActivationMode;

use super::frame::Frame;
use super::handover::HandoverWords;

/// The step that a purchase has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The buyer confirms.
    Confirm,
    /// The publisher's product sets the account up, or the buyer does on its sign-up page.
    Prepare,
    /// Microsoft activates.
    Activate,
    Start,
}

pub(super) struct Step<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) is_done: bool,
    pub(super) is_current: bool,
}

/// The steps of a purchase. Before the buyer has confirmed, none of them is marked.
pub(super) fn steps<'a>(frame: &Frame<'a>, reached: Stage, is_free_trial: bool) -> Vec<Step<'a>> {
    let phrases = &frame.t().steps;
    let start = if is_free_trial { &phrases.start_trial } else { &phrases.start };
    let prepares =
        frame.brand.activation == ActivationMode::ByPublisher || reached == Stage::Prepare;
    let prepare = || match frame.brand.sign_up {
        Some(_) => Cow::Owned(HandoverWords::of(frame).step),
        None if reached > Stage::Prepare => Cow::Borrowed(phrases.prepared.as_str()),
        None => Cow::Borrowed(phrases.prepare.as_str()),
    };
    let confirm = match reached {
        Stage::Confirm => &phrases.confirm,
        Stage::Prepare | Stage::Activate | Stage::Start => &phrases.confirmed,
    };
    let told = |text: &'a String| Some(Cow::Borrowed(text.as_str()));
    [
        (Stage::Confirm, told(confirm)),
        (Stage::Prepare, prepares.then(prepare)),
        (Stage::Activate, told(&phrases.activate)),
        (Stage::Start, told(start)),
    ]
    .into_iter()
    .filter_map(|(stage, text)| {
        Some(Step {
            text: text?,
            is_done: stage < reached,
            is_current: stage == reached && reached != Stage::Confirm,
        })
    })
    .collect()
}
