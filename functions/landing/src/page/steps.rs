//! What happens between a purchase and the first use, step by step.

use shared::config::ActivationMode;

use super::frame::Frame;

/// The step that a purchase has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The buyer confirms.
    Confirm,
    /// The publisher's product sets the account up.
    Prepare,
    /// Microsoft activates.
    Activate,
    Start,
}

pub(super) struct Step<'a> {
    pub(super) text: &'a str,
    pub(super) is_done: bool,
    pub(super) is_current: bool,
}

/// The steps of a purchase. Before the buyer has confirmed, none of them is marked.
pub(super) fn steps<'a>(frame: &Frame<'a>, reached: Stage, is_free_trial: bool) -> Vec<Step<'a>> {
    let phrases = &frame.t().steps;
    let start = if is_free_trial { &phrases.start_trial } else { &phrases.start };
    let prepares =
        frame.brand.activation == ActivationMode::ByPublisher || reached == Stage::Prepare;
    [
        (Stage::Confirm, Some(&phrases.confirm)),
        (Stage::Prepare, prepares.then_some(&phrases.prepare)),
        (Stage::Activate, Some(&phrases.activate)),
        (Stage::Start, Some(start)),
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
