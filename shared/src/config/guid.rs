//! A GUID among the settings.

use std::str::FromStr;

use uuid::Uuid;

pub(super) struct Guid(pub(super) Uuid);

impl FromStr for Guid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| "is not a GUID")
    }
}
