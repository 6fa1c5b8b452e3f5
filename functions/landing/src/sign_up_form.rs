//! The form in which a buyer confirms: a contact address, and the publisher's own fields.

use std::collections::BTreeMap;

use shared::config::{Field, is_email};
use shared::domain::SignUp;
use shared::host::http::form_field;

/// The name of the contact address's field.
pub(crate) const CONTACT: &str = "contact";

/// The buyer's answers as they were entered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    /// The contact address.
    pub(crate) contact: String,
    /// To the publisher's fields, in their order.
    pub(crate) fields: Vec<String>,
}

/// A mistake in an answer. The publisher's fields are named by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerError {
    ContactMissing,
    ContactMalformed,
    Missing(usize),
    TooLong(usize),
}

/// The form as a page shows it.
#[derive(Default)]
pub(crate) struct SignUpForm {
    pub(crate) answers: Answers,
    /// Empty until the buyer sends the form.
    pub(crate) errors: Vec<AnswerError>,
}

impl Answers {
    /// Reads the body of a form.
    pub(crate) fn read(form: &str, fields: &[Field]) -> Self {
        let answer = |name: &str| one_line(&form_field(form, name).unwrap_or_default());
        Self {
            contact: answer(CONTACT),
            fields: fields.iter().map(|field| answer(&field.name)).collect(),
        }
    }

    /// The answers of an earlier sign-up.
    pub(crate) fn of(sign_up: &SignUp, fields: &[Field]) -> Self {
        let answer = |field: &Field| sign_up.fields.get(&field.name).cloned().unwrap_or_default();
        Self { contact: sign_up.contact_email.clone(), fields: fields.iter().map(answer).collect() }
    }

    /// Turns complete answers into a sign-up. Returns all errors at once.
    pub(crate) fn check(
        &self,
        fields: &[Field],
        language: &str,
    ) -> Result<SignUp, Vec<AnswerError>> {
        let mut errors = Vec::new();
        if self.contact.is_empty() {
            errors.push(AnswerError::ContactMissing);
        } else if !is_email(&self.contact) {
            errors.push(AnswerError::ContactMalformed);
        }
        let mut answers = BTreeMap::new();
        for (index, (field, answer)) in fields.iter().zip(&self.fields).enumerate() {
            if answer.is_empty() {
                if field.required {
                    errors.push(AnswerError::Missing(index));
                }
            } else if answer.chars().count() > field.max_length {
                errors.push(AnswerError::TooLong(index));
            } else {
                answers.insert(field.name.clone(), answer.clone());
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(SignUp {
            contact_email: self.contact.clone(),
            fields: answers,
            language: language.to_owned(),
        })
    }
}

/// Replaces line breaks and other control characters, and trims.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use shared::config::Label;

    use super::*;

    fn fields() -> Vec<Field> {
        let field = |name: &str, required, max_length| Field {
            name: name.to_owned(),
            label: Label::One(name.to_owned()),
            required,
            max_length,
        };
        vec![field("company", true, 8), field("vat", false, 3)]
    }

    fn check(form: &str) -> Result<SignUp, Vec<AnswerError>> {
        Answers::read(form, &fields()).check(&fields(), "sv")
    }

    #[test]
    fn complete_answers_are_trimmed_and_kept() {
        let sign_up =
            check("contact=+a%40b.example%20&company=%20Contoso%0D%0A&vat=").expect("good");
        assert_eq!(sign_up.contact_email, "a@b.example");
        assert_eq!(sign_up.fields, [("company".to_owned(), "Contoso".to_owned())].into());
        assert_eq!(sign_up.language, "sv");
        let long =
            check("contact=a%40b.example&company=%C3%85%C3%85%C3%85%C3%85%C3%85%C3%85%C3%85%C3%85");
        assert_eq!(long.expect("eight characters").fields["company"], "ÅÅÅÅÅÅÅÅ");
    }

    #[test]
    fn all_errors_of_a_form_are_returned_at_once() {
        for (form, errors) in [
            ("", vec![AnswerError::ContactMissing, AnswerError::Missing(0)]),
            ("contact=a&company=x", vec![AnswerError::ContactMalformed]),
            ("contact=a%40b.example&company=%20%0A", vec![AnswerError::Missing(0)]),
            (
                "contact=a%40b.example&company=123456789&vat=1234",
                vec![AnswerError::TooLong(0), AnswerError::TooLong(1)],
            ),
            (
                "contact=a%40b.example&contact=c%40d.example&company=x",
                vec![AnswerError::ContactMissing],
            ),
            ("contact=a%40b.example&company=x&company=y", vec![AnswerError::Missing(0)]),
        ] {
            assert_eq!(check(form), Err(errors), "{form}");
        }
    }

    #[test]
    fn earlier_answers_fill_the_form_again() {
        let sign_up = check("contact=a%40b.example&company=Contoso").expect("good");
        let again = Answers::of(&sign_up, &fields());
        assert_eq!(again.fields, ["Contoso", ""]);
        assert_eq!(again.check(&fields(), "sv"), Ok(sign_up));
    }
}
