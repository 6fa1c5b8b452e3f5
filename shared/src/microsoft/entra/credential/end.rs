//! When a credential ends, such as a client secret, and how many days are left until then.
//!
//! A certificate names its end. Of a secret, Entra tells it in none of its answers (F-AUTH-16), so the
//! operator writes it down: in a setting, or beside the secret in Secrets Manager.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use thiserror::Error;

use super::certificate::{Certificate, CertificateError};
use crate::host::error_class::ErrorClass;
use crate::host::secret::{ClientSecret, SecretError, UnusableSecret};

/// How many days before its end a credential is warned about.
pub const WARNED_FROM_DAYS: i64 = 30;

/// An end as an operator writes it: a date, which means its first moment in UTC, or a timestamp
/// (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenEnd(pub Timestamp);

impl FromStr for WrittenEnd {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const DATE: usize = "2027-03-01".len();
        let end = if text.len() == DATE {
            let date = text.parse::<Date>().ok();
            date.and_then(|date| date.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp())
        } else {
            text.parse().ok()
        };
        end.map(Self).ok_or("is neither a date such as 2027-03-01 nor a timestamp")
    }
}

/// The end of one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialEnd {
    /// The setting that holds the credential, such as `ENTRA_CLIENT_SECRET`.
    pub name: &'static str,
    pub at: Timestamp,
}

impl CredentialEnd {
    /// Whole days until the end, rounded down: 0 on the last day, and negative after the end.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        const DAY: i64 = SignedDuration::from_hours(24).as_secs();
        self.at.duration_since(now).as_secs().div_euclid(DAY)
    }

    /// Whether the operator should renew the credential now.
    pub fn is_near(&self, now: Timestamp) -> bool {
        self.days_left(now) <= WARNED_FROM_DAYS
    }
}

/// A credential that ends.
#[derive(Clone, Debug)]
pub struct EndingCredential {
    /// The setting that holds it.
    pub name: &'static str,
    pub end: EndSource,
}

/// Where the end of a credential is written.
#[derive(Clone, Debug)]
pub enum EndSource {
    /// The operator writes down when a client secret ends.
    Written {
        /// In a setting.
        given: Option<WrittenEnd>,
        /// In a text beside the secret. It is renewed together with the secret, so it comes before
        /// the setting.
        beside: Option<ClientSecret>,
    },
    /// A certificate says so itself.
    Certificate(ClientSecret),
}

/// Why the end of a credential could not be read.
#[derive(Debug, Error)]
pub enum UnreadableEnd {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the text beside the secret {0}")]
    Malformed(&'static str),
    #[error("the client certificate {0}")]
    Certificate(#[from] CertificateError),
}

impl UnreadableEnd {
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Secret(error) => error.class(),
            Self::Malformed(_) | Self::Certificate(_) => ErrorClass::Configuration,
        }
    }
}

impl EndingCredential {
    /// Reads the end; `None` if it is written nowhere. It may ask Secrets Manager.
    pub async fn end(&self) -> Result<Option<CredentialEnd>, UnreadableEnd> {
        let end = match &self.end {
            EndSource::Certificate(pem) => {
                let pem = pem.read().await?;
                Some(Certificate::parse(pem.expose_secret())?.ends())
            }
            EndSource::Written { given, beside } => {
                let beside = match beside {
                    None => None,
                    Some(text) => written_beside(text).await?,
                };
                beside.or(*given).map(|WrittenEnd(at)| at)
            }
        };
        Ok(end.map(|at| CredentialEnd { name: self.name, at }))
    }
}

async fn written_beside(text: &ClientSecret) -> Result<Option<WrittenEnd>, UnreadableEnd> {
    match text.read().await {
        Ok(text) => text.expose_secret().parse().map(Some).map_err(UnreadableEnd::Malformed),
        // The JSON names no end.
        Err(SecretError::Unusable(UnusableSecret::NoMember(_))) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn an_end_is_a_date_or_a_timestamp() {
        for (text, end) in [
            ("2027-03-01", "2027-03-01T00:00:00Z"),
            ("2027-03-01T12:30:00Z", "2027-03-01T12:30:00Z"),
            ("2027-03-01T12:30:00+02:00", "2027-03-01T10:30:00Z"),
            ("2028-02-29", "2028-02-29T00:00:00Z"),
        ] {
            assert_eq!(text.parse(), Ok(WrittenEnd(at(end))), "{text}");
        }
        for text in
            ["2027-02-30", "2027-3-1", "01/03/2027", "20270301", "2027-03-01T12:30:00", "soon"]
        {
            assert!(text.parse::<WrittenEnd>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_whole_and_the_last_thirty_are_near() {
        let end = CredentialEnd { name: "ENTRA_CLIENT_SECRET", at: at("2027-03-01T00:00:00Z") };
        for (now, days, is_near) in [
            ("2027-01-29T00:00:00Z", 31, false),
            ("2027-01-29T00:00:01Z", 30, true),
            ("2027-02-28T00:00:00Z", 1, true),
            ("2027-02-28T00:00:01Z", 0, true),
            ("2027-03-01T00:00:00Z", 0, true),
            ("2027-03-01T00:00:01Z", -1, true),
        ] {
            assert_eq!((end.days_left(at(now)), end.is_near(at(now))), (days, is_near), "{now}");
        }
    }

    #[tokio::test]
    async fn the_end_beside_the_secret_comes_before_the_setting() {
        let credential = |given: Option<&str>, beside: Option<&str>| EndingCredential {
            name: "ENTRA_CLIENT_SECRET",
            end: EndSource::Written {
                given: given.map(|text| text.parse().expect("an end")),
                beside: beside.map(|text| ClientSecret::Given(text.into())),
            },
        };
        for (given, beside, end) in [
            (None, None, None),
            (Some("2027-03-01"), None, Some("2027-03-01T00:00:00Z")),
            (Some("2027-03-01"), Some("2028-03-01"), Some("2028-03-01T00:00:00Z")),
        ] {
            let read = credential(given, beside).end().await.expect("readable");
            assert_eq!(read.map(|end| end.at), end.map(at), "{given:?} {beside:?}");
        }
        let error = credential(None, Some("hunter2")).end().await.expect_err("no date");
        assert_eq!(error.class(), ErrorClass::Configuration);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
