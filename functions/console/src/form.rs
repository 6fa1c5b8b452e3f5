//! The fields of a form, or of an address.

use url::form_urlencoded;

/// A field that is sent twice counts as missing.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a>(&'a [u8]);

impl<'a> Form<'a> {
    pub(crate) fn new(encoded: &'a [u8]) -> Self {
        Self(encoded)
    }

    /// Trimmed; `None` if it is missing or empty.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let mut values = form_urlencoded::parse(self.0).filter(|(key, _)| key == name);
        let (Some((_, value)), None) = (values.next(), values.next()) else { return None };
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The whole of a field, which may be empty; `None` if it is missing.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let mut values = form_urlencoded::parse(self.0).filter(|(key, _)| key == name);
        let (Some((_, value)), None) = (values.next(), values.next()) else { return None };
        Some(value.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_trimmed_and_counts_once_only() {
        let form = Form::new(b"plan=+gold+&note=&two=1&two=2");
        assert_eq!(form.get("plan").as_deref(), Some("gold"));
        assert_eq!((form.get("note"), form.text("note").as_deref()), (None, Some("")));
        assert_eq!((form.get("two"), form.text("two"), form.text("other")), (None, None, None));
    }
}
