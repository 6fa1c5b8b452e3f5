//! The bodies of the calls about the reconciliation, and of pauses.

use serde::Deserialize;
use shared::host::http::Problem;
use shared::lenient::strict_object;
use shared::store::LONGEST_NOTE;

use crate::error_code::malformed;

/// Reads the optional body that starts a run.
pub(crate) fn is_dry_run(body: &[u8]) -> Result<bool, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        dry_run: bool,
    }
    if body.trim_ascii().is_empty() {
        return Ok(false);
    }
    let body: Option<Body> = strict_object(body);
    let body = body.ok_or_else(|| malformed("the body must be empty or {\"dryRun\": true}"))?;
    Ok(body.dry_run)
}

/// Reads the note of a pause, without blanks around it.
pub(crate) fn note(body: &[u8]) -> Result<String, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        note: String,
    }
    let body: Option<Body> = strict_object(body);
    let note = body.map(|Body { note }| note.trim().to_owned());
    let is_note = |note: &String| {
        (1..=LONGEST_NOTE).contains(&note.chars().count()) && !note.contains(char::is_control)
    };
    note.filter(is_note).ok_or_else(|| {
        malformed(&format!(
            "the body must be {{\"note\": why}}, with 1 to {LONGEST_NOTE} characters on one line"
        ))
    })
}

/// Reads the note of a pause that needs none. Without one, it is empty.
pub(crate) fn optional_note(body: &[u8]) -> Result<String, Problem> {
    let is_empty = body.trim_ascii().is_empty() || strict_object::<Empty>(body).is_some();
    if is_empty { Ok(String::new()) } else { note(body) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_dry_only_if_the_body_says_so() {
        for (body, expected) in [
            ("", Some(false)),
            (" \n", Some(false)),
            ("{}", Some(false)),
            (r#"{"dryRun":false}"#, Some(false)),
            (r#"{"dryRun":true}"#, Some(true)),
            (r#"{"dryRun":"true"}"#, None),
            (r#"{"dryrun":true}"#, None),
            ("[]", None),
            ("true", None),
        ] {
            assert_eq!(is_dry_run(body.as_bytes()).ok(), expected, "{body}");
        }
    }

    #[test]
    fn a_note_is_one_line_that_is_not_blank() {
        let sent = |note: &str| serde_json::json!({ "note": note }).to_string();
        assert_eq!(note(sent(" why ").as_bytes()), Ok("why".to_owned()));
        assert_eq!(note(sent(&"é".repeat(500)).as_bytes()), Ok("é".repeat(500)));
        let long = "é".repeat(501);
        for refused in ["", "  ", "two\nlines", &long] {
            assert!(note(sent(refused).as_bytes()).is_err(), "{refused}");
        }
        for body in ["", "{}", r#"{"note":null}"#, r#"{"note":"a","by":"me"}"#] {
            assert!(note(body.as_bytes()).is_err(), "{body}");
        }
        for body in ["", " ", "{}"] {
            assert_eq!(optional_note(body.as_bytes()), Ok(String::new()), "{body}");
        }
        assert_eq!(optional_note(sent("why").as_bytes()), Ok("why".to_owned()));
        for body in ["[]", r#"{"note":""}"#, r#"{"by":"me"}"#, "{"] {
            assert!(optional_note(body.as_bytes()).is_err(), "{body}");
        }
    }
}
