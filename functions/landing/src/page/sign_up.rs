//! The form of a new purchase, as the page shows it.

use super::Filled;
use super::frame::Frame;
use crate::form::{CONTACT, Wrong};
use crate::language::filled;

/// One thing that is asked for.
pub(super) struct Input<'a> {
    /// Its name, which its id follows from.
    pub name: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// What it is for.
    pub hint: Option<&'a str>,
    /// `email` or `text`.
    pub kind: &'static str,
    /// What a browser may fill in by itself.
    pub autocomplete: &'static str,
    /// Whether it must be filled in.
    pub required: bool,
    /// The most characters it takes.
    pub max_length: usize,
    /// What stands in it.
    pub value: &'a str,
    /// What is wrong with it.
    pub wrong: Option<String>,
}

/// Everything that is asked for.
pub(super) struct Inputs<'a>(pub Vec<Input<'a>>);

impl<'a> Inputs<'a> {
    /// What the publisher asks for, with what was filled in.
    pub(super) fn new(filled_in: &'a Filled, frame: &Frame<'a>) -> Self {
        let (says, code) = (frame.t(), frame.language.code);
        let wrong = |is: &dyn Fn(Wrong) -> Option<String>| {
            filled_in.wrong.iter().find_map(|wrong| is(*wrong))
        };
        let contact = Input {
            name: CONTACT,
            label: &says.pending.contact,
            hint: Some(&says.pending.contact_hint),
            kind: "email",
            autocomplete: "email",
            required: true,
            max_length: 254,
            value: &filled_in.entered.contact,
            wrong: wrong(&|wrong| match wrong {
                Wrong::ContactMissing => Some(says.errors.contact_missing.clone()),
                Wrong::ContactForm => Some(says.errors.contact_form.clone()),
                Wrong::Missing(_) | Wrong::Long(_) => None,
            }),
        };
        let mut inputs = vec![contact];
        for (at, field) in frame.brand.fields.iter().enumerate() {
            let label = field.label.in_language(code);
            let most = frame.language.number(field.max_length.try_into().unwrap_or(u64::MAX));
            inputs.push(Input {
                name: &field.name,
                label,
                hint: None,
                kind: "text",
                autocomplete: "on",
                required: field.required,
                max_length: field.max_length,
                value: filled_in.entered.fields.get(at).map_or("", String::as_str),
                wrong: wrong(&|wrong| match wrong {
                    Wrong::Missing(place) if place == at => {
                        Some(filled(&says.errors.missing, &[("label", label)]))
                    }
                    Wrong::Long(place) if place == at => {
                        Some(filled(&says.errors.long, &[("label", label), ("count", &most)]))
                    }
                    Wrong::Missing(_)
                    | Wrong::Long(_)
                    | Wrong::ContactMissing
                    | Wrong::ContactForm => None,
                }),
            });
        }
        Self(inputs)
    }

    /// Whether something is wrong.
    pub(super) fn is_wrong(&self) -> bool {
        self.0.iter().any(|input| input.wrong.is_some())
    }
}
