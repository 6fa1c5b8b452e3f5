//! How long the credentials of the publisher's applications at Entra last. It reads nothing of the table.

use jiff::Timestamp;
use shared::config::AppCredential;
use shared::microsoft::entra::{CredentialEnd, UnreadableEnd};
use tracing::warn;

use crate::words::day;

/// The credentials of all applications.
pub(crate) struct Credentials(pub(crate) Vec<AppCredential>);

/// One credential, as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Whose it is.
    pub(crate) app: &'static str,
    /// The setting that holds it; empty for an identity.
    pub(crate) name: &'static str,
    /// How long it lasts.
    pub(crate) left: String,
    /// When it expires, or why that isn't known.
    pub(crate) detail: String,
    /// A class of the style sheet.
    pub(crate) tone: &'static str,
    /// Whether the staff should act on it.
    pub(crate) is_urgent: bool,
}

impl Credentials {
    /// It may ask Secrets Manager, whose answers the process keeps for a while.
    pub(crate) async fn lines(&self, now: Timestamp) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.0.len());
        for AppCredential { app, ending } in &self.0 {
            lines.push(match ending {
                None => {
                    let detail = "The app proves itself without a secret.".to_owned();
                    Line {
                        app,
                        name: "",
                        left: "doesn't expire".into(),
                        detail,
                        tone: "good",
                        is_urgent: false,
                    }
                }
                Some(credential) => line(app, credential.name, credential.end().await, now),
            });
        }
        lines
    }
}

fn line(
    app: &'static str,
    name: &'static str,
    end: Result<Option<CredentialEnd>, UnreadableEnd>,
    now: Timestamp,
) -> Line {
    let (left, detail, tone, is_urgent) = match end {
        Ok(Some(end)) if now >= end.at => {
            ("expired".to_owned(), format!("It expired on {}.", day(end.at)), "bad", true)
        }
        Ok(Some(end)) => {
            let is_near = end.is_near(now);
            let tone = if is_near { "warn" } else { "good" };
            (days(end.days_left(now)), format!("It expires on {}.", day(end.at)), tone, is_near)
        }
        Ok(None) => {
            let detail = format!("No expiry date is set. Set it in {name}_EXPIRES.");
            ("unknown".to_owned(), detail, "end", false)
        }
        Err(error) => {
            let class = error.class().name();
            warn!(credential.name = name, %error, class, "could not read when a credential ends");
            (
                "unknown".to_owned(),
                "Its expiry date can't be read; the log says why.".to_owned(),
                "warn",
                true,
            )
        }
    };
    Line { app, name, left, detail, tone, is_urgent }
}

fn days(left: i64) -> String {
    match left {
        0 => "less than a day left".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    }
}

#[cfg(test)]
mod tests {
    use shared::microsoft::entra::{EndSource, EndingCredential};

    use super::*;

    const NAME: &str = "CONSOLE_CLIENT_SECRET";

    #[tokio::test]
    async fn each_credential_has_the_days_that_are_left_and_few_are_marked() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().expect("a timestamp");
        let secret = |given: Option<&str>| {
            let given = given.map(|end| end.parse().expect("an end"));
            let end = EndSource::Written { given, beside: None };
            AppCredential { app: "The console", ending: Some(EndingCredential { name: NAME, end }) }
        };
        let given = [
            secret(Some("2027-11-27")),
            secret(Some("2026-12-20")),
            secret(Some("2026-11-29")),
            secret(Some("2026-11-28")),
            secret(Some("2026-11-27")),
            secret(None),
            AppCredential { app: "The console", ending: None },
        ];
        let lines = Credentials(given.to_vec()).lines(now).await;
        let plain = |text: &str| text.replace('\u{a0}', " ");
        let details: Vec<_> = lines.iter().map(|line| plain(&line.detail)).collect();
        let shown: Vec<_> = lines
            .iter()
            .zip(&details)
            .map(|(line, detail)| (line.left.as_str(), &**detail, line.tone, line.is_urgent))
            .collect();
        let unset = "No expiry date is set. Set it in CONSOLE_CLIENT_SECRET_EXPIRES.";
        let expected = [
            ("364 days left", "It expires on 27 Nov 2027.", "good", false),
            ("22 days left", "It expires on 20 Dec 2026.", "warn", true),
            ("1 day left", "It expires on 29 Nov 2026.", "warn", true),
            ("less than a day left", "It expires on 28 Nov 2026.", "warn", true),
            ("expired", "It expired on 27 Nov 2026.", "bad", true),
            ("unknown", unset, "end", false),
            ("doesn't expire", "The app proves itself without a secret.", "good", false),
        ];
        assert_eq!(shown, expected);
    }
}
