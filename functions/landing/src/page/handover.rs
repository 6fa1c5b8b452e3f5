//! The words about the publisher's own sign-up page.

use super::frame::Frame;
use crate::language::fill;

pub(super) struct HandoverWords {
    /// As in "Continue to Fabrikam Fleet".
    pub(super) title: String,
    /// The same on the button that confirms the purchase.
    pub(super) confirm: String,
    /// Where the person goes, and what is passed on.
    pub(super) text: String,
    /// The same below a form.
    pub(super) with_entries: String,
    /// For a person who comes back.
    pub(super) again: String,
    /// What the person does there, as a step.
    pub(super) step: String,
}

impl HandoverWords {
    pub(super) fn of(frame: &Frame<'_>) -> Self {
        let phrases = &frame.t().handover;
        match frame.product_name() {
            Some(product) => {
                let named = |phrase: &str| fill(phrase, &[("product", product)]);
                Self {
                    title: named(&phrases.title),
                    confirm: named(&phrases.confirm),
                    text: named(&phrases.text),
                    with_entries: named(&phrases.with_entries),
                    again: named(&phrases.again),
                    step: named(&phrases.step),
                }
            }
            None => Self {
                title: phrases.unnamed.title.clone(),
                confirm: phrases.unnamed.confirm.clone(),
                text: phrases.unnamed.text.clone(),
                with_entries: phrases.unnamed.with_entries.clone(),
                again: phrases.unnamed.again.clone(),
                step: phrases.unnamed.step.clone(),
            },
        }
    }
}
