//! The settings in force, as far as they may be seen.

use shared::host::environment::Environment;

/// A setting that the deployment has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// `None` for a secret, and for an address, which may hold one.
    pub(crate) value: Option<String>,
}

/// Parts of the names of settings whose values are not shown.
const HIDDEN: [&str; 9] = [
    "SECRET",
    "KEY",
    "CERTIFICATE",
    "TOKEN",
    "URL",
    "ENDPOINT",
    "CREDENTIALS",
    "HEADER",
    "AUTHORITY",
];

/// The longest value that is shown, in characters. A logo is longer.
const LONGEST: usize = 300;

/// What the console was asked to start with, without what Lambda adds itself.
pub(crate) fn in_force(environment: &Environment) -> Vec<Setting> {
    let own = environment.asked().into_iter().filter(|name| !name.starts_with("AWS_"));
    let set = own.filter_map(|name| Some((name, environment.get(name)?)));
    let shown = |(name, value): (&'static str, String)| Setting {
        name,
        value: Some(value)
            .filter(|value| {
                !HIDDEN.iter().any(|part| name.contains(part)) || value.starts_with("arn:")
            })
            .map(|value| match (name.ends_with("_CREDENTIAL"), value.as_str()) {
                // The kind of credential, which reads like one.
                (true, "secret") => "client secret".to_owned(),
                _ => value.chars().take(LONGEST).collect(),
            }),
    };
    set.map(shown).collect()
}

/// How requested changes are decided, in the order in which it is asked.
pub(crate) fn rules(environment: &Environment) -> Vec<(&'static str, String)> {
    let rules = environment.get("CHANGE_RULES").map(|rules| {
        let rules: Result<serde_json::Value, _> = serde_json::from_str(&rules);
        rules.and_then(|rules| serde_json::to_string_pretty(&rules)).unwrap_or_default()
    });
    let product = match environment.get("DECISION_URL") {
        Some(_) => "Decides what the rules leave open",
        None => "Isn't asked",
    };
    let is_set = |name, value| environment.get(name).as_deref() == Some(value);
    let otherwise = match is_set("CHANGE_POLICY", "reject") {
        true => "The change is rejected",
        false => "The change is accepted",
    };
    let activation = match is_set("ACTIVATION", "by-publisher") {
        true => "When you approve it",
        false => "When the buyer confirms it",
    };
    vec![
        ("Rules", rules.unwrap_or_else(|| "None".to_owned())),
        ("Your product", product.to_owned()),
        ("Otherwise", otherwise.to_owned()),
        ("A purchase is activated", activation.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_addresses_are_named_without_their_values() {
        let environment = Environment::from_fn(|name| match name {
            "CHANGE_POLICY" => Some("reject".to_owned()),
            "ENTRA_CLIENT_SECRET" => Some("hush".to_owned()),
            "ENTRA_CLIENT_SECRET_ARN" => {
                Some("arn:aws:secretsmanager:eu-north-1:1:secret:a".to_owned())
            }
            // What proves a caller to be the function app itself.
            "IDENTITY_HEADER" => Some("hush".to_owned()),
            "ENTRA_AUTHORITY" => Some("https://login.example.com".to_owned()),
            "ENTRA_CREDENTIAL" => Some("secret".to_owned()),
            "DELIVERY_ENDPOINT" => Some("https://user:hush@example.com".to_owned()),
            "AWS_REGION" => Some("eu-north-1".to_owned()),
            _ => None,
        });
        for name in [
            "CHANGE_POLICY",
            "ENTRA_CLIENT_SECRET",
            "ENTRA_CLIENT_SECRET_ARN",
            "DELIVERY_ENDPOINT",
            "ENTRA_AUTHORITY",
            "ENTRA_CREDENTIAL",
            "IDENTITY_HEADER",
        ] {
            assert!(environment.get(name).is_some());
        }
        environment.get("AWS_REGION");
        environment.get("RETENTION_DAYS");
        let shown: Vec<_> = in_force(&environment)
            .into_iter()
            .map(|setting| (setting.name, setting.value.unwrap_or_default()))
            .collect();
        let expected = [
            ("CHANGE_POLICY", "reject".to_owned()),
            ("DELIVERY_ENDPOINT", String::new()),
            ("ENTRA_AUTHORITY", String::new()),
            ("ENTRA_CLIENT_SECRET", String::new()),
            ("ENTRA_CLIENT_SECRET_ARN", "arn:aws:secretsmanager:eu-north-1:1:secret:a".to_owned()),
            ("ENTRA_CREDENTIAL", "client secret".to_owned()),
            ("IDENTITY_HEADER", String::new()),
        ];
        assert_eq!(shown, expected);
    }
}
