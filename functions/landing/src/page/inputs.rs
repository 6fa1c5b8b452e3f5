//! The inputs in the form of a new purchase.

use super::frame::Frame;
use crate::language::fill;
use crate::sign_up_form::{AnswerError, CONTACT, SignUpForm};

pub(super) struct Input<'a> {
    /// Also its id.
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) hint: Option<&'a str>,
    /// `email` or `text`.
    pub(super) kind: &'static str,
    pub(super) autocomplete: &'static str,
    pub(super) required: bool,
    /// In characters.
    pub(super) max_length: usize,
    pub(super) value: &'a str,
    pub(super) error: Option<String>,
}

pub(super) struct Inputs<'a>(pub(super) Vec<Input<'a>>);

impl<'a> Inputs<'a> {
    /// The contact address and the publisher's fields, with the buyer's answers.
    pub(super) fn of(form: &'a SignUpForm, frame: &Frame<'a>) -> Self {
        if !frame.brand.asks() {
            return Self(Vec::new());
        }
        let (phrases, code) = (frame.t(), frame.language.code);
        let first_error = |explain: &dyn Fn(AnswerError) -> Option<String>| {
            form.errors.iter().find_map(|error| explain(*error))
        };
        let contact = Input {
            name: CONTACT,
            label: &phrases.pending.contact,
            hint: Some(&phrases.pending.contact_hint),
            kind: "email",
            autocomplete: "email",
            required: true,
            max_length: 254,
            value: &form.answers.contact,
            error: first_error(&|error| match error {
                AnswerError::ContactMissing => Some(phrases.errors.contact_missing.clone()),
                AnswerError::ContactMalformed => Some(phrases.errors.contact_form.clone()),
                AnswerError::Missing(_) | AnswerError::TooLong(_) => None,
            }),
        };
        let mut inputs = vec![contact];
        for (index, field) in frame.brand.fields.iter().enumerate() {
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
                value: form.answers.fields.get(index).map_or("", String::as_str),
                error: first_error(&|error| match error {
                    AnswerError::Missing(of) if of == index => {
                        Some(fill(&phrases.errors.missing, &[("label", label)]))
                    }
                    AnswerError::TooLong(of) if of == index => {
                        let values = [("label", label), ("count", &*most)];
                        Some(fill(&phrases.errors.long, &values))
                    }
                    AnswerError::Missing(_)
                    | AnswerError::TooLong(_)
                    | AnswerError::ContactMissing
                    | AnswerError::ContactMalformed => None,
                }),
            });
        }
        Self(inputs)
    }

    pub(super) fn have_errors(&self) -> bool {
        self.0.iter().any(|input| input.error.is_some())
    }
}
