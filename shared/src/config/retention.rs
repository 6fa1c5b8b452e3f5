//! When personal data is erased by itself: `RETENTION_DAYS`.

use std::str::FromStr;

use jiff::SignedDuration;

use crate::domain::KEPT_AFTER_END;
use crate::host::environment::{ConfigError, Environment, parse};

/// How long after a subscription's end its personal data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(pub SignedDuration);

impl Retention {
    /// `None`: until an operator erases it.
    pub fn read(environment: &Environment) -> Result<Option<Self>, ConfigError> {
        const NAME: &str = "RETENTION_DAYS";
        const PURPOSE: &str =
            "after how many days from a subscription's end its personal data is erased, as in 90";
        environment.get(NAME).map(|days| parse(NAME, &days, PURPOSE)).transpose()
    }
}

impl FromStr for Retention {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        /// Ten years: above this, somebody has mistaken the unit.
        const MOST: i64 = 3660;
        let least = KEPT_AFTER_END.as_hours() / 24;
        let days = text.trim().parse().ok().filter(|days| (least..=MOST).contains(days));
        let days: i64 = days.ok_or_else(|| format!("is not a number from {least} to {MOST}"))?;
        Ok(Self(SignedDuration::from_hours(24 * days)))
    }
}
