//! The settings that the functions have read, for the person at the terminal.

use std::collections::BTreeMap;

/// The longest value that is shown, in characters.
const LONGEST: usize = 60;

/// One line per setting that has a value. The settings of the person's own environment have a mark.
pub fn lines(
    read: &[&'static str],
    variables: &BTreeMap<String, String>,
    is_given: impl Fn(&str) -> bool,
) -> Vec<String> {
    let with_value = read.iter().filter_map(|name| Some((*name, variables.get(*name)?)));
    with_value
        .map(|(name, value)| {
            let mark = if is_given(name) { '*' } else { ' ' };
            format!("{mark} {name:<33}{}", shown(name, value))
        })
        .collect()
}

/// The value as one short line. Keys and secrets are hidden, and so is an address's query, which
/// may hold one.
fn shown(name: &str, value: &str) -> String {
    if ["SECRET", "KEY", "KEYS", "TOKEN"].iter().any(|end| name.ends_with(end)) {
        return "(hidden)".to_owned();
    }
    let value = match value.split_once('?') {
        Some((address, _)) if address.contains("://") => format!("{address}?…"),
        _ => value.to_owned(),
    };
    let mut shown: String = value.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if value.chars().count() > LONGEST {
        shown.push('…');
    }
    shown
}

/// The given names that no function has read and that look like a setting, each with that setting.
pub fn misspelt<'a>(
    given: impl Iterator<Item = &'a str>,
    read: &[&'static str],
) -> Vec<(&'a str, &'static str)> {
    given.filter_map(|name| Some((name, meant(name, read)?))).collect()
}

/// The setting that is meant by a name with one or two wrong letters, or in other letters' case.
fn meant(name: &str, read: &[&'static str]) -> Option<&'static str> {
    if read.contains(&name) {
        return None;
    }
    let distances =
        read.iter().map(|known| (strsim::osa_distance(&name.to_uppercase(), known), *known));
    let (distance, nearest) = distances.min()?;
    // In a short name, two wrong letters make another word.
    (distance <= (nearest.len() / 5).min(2)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: [&str; 8] = [
        "ACTIVATION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "CHANGE_POLICY",
        "DECISION_URL",
        "ENTRA_CLIENT_SECRET_ARN",
        "LANDING_LOGO",
        "TABLE_NAME",
    ];

    #[test]
    fn a_name_with_one_or_two_wrong_letters_is_misspelt() {
        for (name, meant) in [
            ("CHANGE_POLCY", "CHANGE_POLICY"),
            ("CHANEG_POLICY", "CHANGE_POLICY"),
            ("CHANGES_POLICIY", "CHANGE_POLICY"),
            ("CHANGE-POLICY", "CHANGE_POLICY"),
            ("change_policy", "CHANGE_POLICY"),
            ("DECISSION_URL", "DECISION_URL"),
            ("TABLENAME", "TABLE_NAME"),
        ] {
            assert_eq!(misspelt([name].into_iter(), &READ), [(name, meant)]);
        }
    }

    #[test]
    fn settings_and_variables_of_other_programs_are_not_misspelt() {
        let others = ["PATH", "AWS_PROFILE", "AWS_REGION", "CARGO_HOME", "LANDSCAPE", "TABLES"];
        for name in READ.into_iter().chain(others) {
            assert_eq!(misspelt([name].into_iter(), &READ), [], "{name}");
        }
    }

    #[test]
    fn keys_and_secrets_are_hidden_and_long_values_are_cut() {
        let long = "x".repeat(100);
        let variables = [
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "s3cret"),
            ("DECISION_URL", "https://fabrikam.example/d?code=s3cret"),
            ("ENTRA_CLIENT_SECRET_ARN", "arn:aws:x"),
            ("HOME", "/root"),
            ("LANDING_LOGO", &long),
            ("TABLE_NAME", "a\u{1b}[2Jb"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let lines = lines(&READ, &variables.into(), |name| name == "DECISION_URL");
        assert_eq!(
            lines,
            [
                "  AWS_ACCESS_KEY_ID                local",
                "  AWS_SECRET_ACCESS_KEY            (hidden)",
                "* DECISION_URL                     https://fabrikam.example/d?…",
                "  ENTRA_CLIENT_SECRET_ARN          arn:aws:x",
                &format!("  LANDING_LOGO                     {}…", "x".repeat(LONGEST)),
                "  TABLE_NAME                       a\\u{1b}[2Jb",
            ]
        );
    }
}
