//! What a buyer fills in before confirming: a contact address, and what the publisher asks for.

use std::collections::BTreeMap;

use shared::config::{Field, is_email};
use shared::domain::SignUp;

use crate::sign_in::value;

/// The field of the contact address.
pub(crate) const CONTACT: &str = "contact";

/// What was filled in, as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entered {
    /// The contact address.
    pub contact: String,
    /// The publisher's fields, in their order.
    pub fields: Vec<String>,
}

/// What is wrong with what was filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// No contact address.
    ContactMissing,
    /// A contact address that is none.
    ContactForm,
    /// A field, by its place, that must be filled in.
    Missing(usize),
    /// A field, by its place, with more than it takes.
    Long(usize),
}

impl Entered {
    /// Reads a form.
    pub(crate) fn read(form: &str, asked: &[Field]) -> Self {
        let entered = |name: &str| one_line(&value(form, name).unwrap_or_default());
        Self {
            contact: entered(CONTACT),
            fields: asked.iter().map(|field| entered(&field.name)).collect(),
        }
    }

    /// What somebody filled in before.
    pub(crate) fn before(sign_up: &SignUp, asked: &[Field]) -> Self {
        let entered = |field: &Field| sign_up.fields.get(&field.name).cloned().unwrap_or_default();
        Self { contact: sign_up.contact_email.clone(), fields: asked.iter().map(entered).collect() }
    }

    /// What is kept, or everything that is wrong.
    pub(crate) fn check(&self, asked: &[Field], language: &str) -> Result<SignUp, Vec<Wrong>> {
        let mut wrong = Vec::new();
        if self.contact.is_empty() {
            wrong.push(Wrong::ContactMissing);
        } else if !is_email(&self.contact) {
            wrong.push(Wrong::ContactForm);
        }
        let mut fields = BTreeMap::new();
        for (at, (field, text)) in asked.iter().zip(&self.fields).enumerate() {
            if text.is_empty() {
                if field.required {
                    wrong.push(Wrong::Missing(at));
                }
            } else if text.chars().count() > field.max_length {
                wrong.push(Wrong::Long(at));
            } else {
                fields.insert(field.name.clone(), text.clone());
            }
        }
        if wrong.is_empty() {
            let language = language.to_owned();
            Ok(SignUp { contact_email: self.contact.clone(), fields, language })
        } else {
            Err(wrong)
        }
    }
}

/// What was typed, without what no line of text has.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use shared::config::Label;

    use super::*;

    fn asked() -> Vec<Field> {
        let field = |name: &str, required, max_length| Field {
            name: name.to_owned(),
            label: Label::One(name.to_owned()),
            required,
            max_length,
        };
        vec![field("company", true, 8), field("vat", false, 3)]
    }

    fn check(form: &str) -> Result<SignUp, Vec<Wrong>> {
        Entered::read(form, &asked()).check(&asked(), "sv")
    }

    #[test]
    fn what_is_complete_is_kept_as_it_was_meant() {
        let told = check("contact=+a%40b.example%20&company=%20Contoso%0D%0A&vat=").expect("good");
        assert_eq!(told.contact_email, "a@b.example");
        assert_eq!(told.fields, [("company".to_owned(), "Contoso".to_owned())].into());
        assert_eq!(told.language, "sv");
        let long =
            check("contact=a%40b.example&company=%C3%85%C3%85%C3%85%C3%85%C3%85%C3%85%C3%85%C3%85");
        assert_eq!(long.expect("eight characters").fields["company"], "ÅÅÅÅÅÅÅÅ");
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        for (form, wrong) in [
            ("", vec![Wrong::ContactMissing, Wrong::Missing(0)]),
            ("contact=a&company=x", vec![Wrong::ContactForm]),
            ("contact=a%40b.example&company=%20%0A", vec![Wrong::Missing(0)]),
            (
                "contact=a%40b.example&company=123456789&vat=1234",
                vec![Wrong::Long(0), Wrong::Long(1)],
            ),
            ("contact=a%40b.example&contact=c%40d.example&company=x", vec![Wrong::ContactMissing]),
            ("contact=a%40b.example&company=x&company=y", vec![Wrong::Missing(0)]),
        ] {
            assert_eq!(check(form), Err(wrong), "{form}");
        }
    }

    #[test]
    fn what_was_told_before_stands_in_the_form_again() {
        let told = check("contact=a%40b.example&company=Contoso").expect("good");
        let again = Entered::before(&told, &asked());
        assert_eq!(again.fields, ["Contoso", ""]);
        assert_eq!(again.check(&asked(), "sv"), Ok(told));
    }
}
