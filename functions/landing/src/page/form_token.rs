//! The hidden field that authorises submitting the form of a new purchase.

#[derive(Clone, Copy)]
pub(crate) enum FormToken<'a> {
    /// The session's CSRF token.
    Csrf(&'a str),
    /// The purchase token itself, while sign-in is off.
    Purchase(&'a str),
}

impl FormToken<'_> {
    pub(super) fn field(&self) -> &'static str {
        match self {
            Self::Csrf(_) => "submit",
            Self::Purchase(_) => "token",
        }
    }

    pub(super) fn value(&self) -> &str {
        match self {
            Self::Csrf(value) | Self::Purchase(value) => value,
        }
    }
}
