//! The endpoints that events are sent to, and their keys.

use super::*;

const CRM: &str = r#"[{"name":"crm","url":"https://crm.example/events"}]"#;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn delivery(changes: &[(&str, Option<&str>)]) -> Result<Option<DeliverySettings>, ConfigError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    DeliverySettings::read(&environment(changes), &transport(&clock), clock.clone())
}

/// The names and keys of the endpoints.
fn endpoints(changes: &[(&str, Option<&str>)]) -> Vec<(String, ClientSecret)> {
    let settings = delivery(changes).expect("the settings are right").expect("a receiver");
    let endpoints = settings.endpoints.into_iter();
    endpoints.map(|endpoint| (endpoint.receiver.target.to_string(), endpoint.keys)).collect()
}

fn refused(changes: &[(&str, Option<&str>)]) -> ConfigError {
    let error = delivery(changes).err().expect("a wrong setting");
    assert!(!error.to_string().contains("zq"), "{error}");
    error
}

#[test]
fn each_named_endpoint_has_a_key_of_its_own() {
    let keys = format!(r#"{{"crm":"{KEY}","other":"{KEY} {KEY}"}}"#);
    let both = r#"[{"name":"crm","url":"https://crm.example"},{"name":"other","url":"https://b.example"}]"#;
    let given = endpoints(&[
        ("DELIVERY_ENDPOINTS", Some(both)),
        ("DELIVERY_SIGNING_KEYS", Some(&keys)),
        ("DELIVERY_ENDPOINT", Some("https://a.example")),
        ("DELIVERY_SIGNING_KEY", Some(KEY)),
    ]);
    let given: Vec<_> = given
        .iter()
        .map(|(name, keys)| match keys {
            ClientSecret::Given(keys) => (name.as_str(), keys.expose_secret()),
            ClientSecret::SecretsManager { .. } => panic!("the keys are given"),
        })
        .collect();
    let two = format!("{KEY} {KEY}");
    assert_eq!(given, [("endpoint", KEY), ("crm", KEY), ("other", two.as_str())]);
}

#[test]
fn the_keys_can_be_in_secrets_manager_alone_or_among_all_secrets() {
    for (name, expected) in [
        ("DELIVERY_SIGNING_KEYS_ARN", &["crm"][..]),
        ("SECRETS_ARN", &["DELIVERY_SIGNING_KEYS", "crm"]),
    ] {
        let kept = endpoints(&[("DELIVERY_ENDPOINTS", Some(CRM)), (name, Some(ARN))]);
        let [(_, ClientSecret::SecretsManager { arn, path, .. })] = &kept[..] else {
            panic!("one in Secrets Manager: {kept:?}")
        };
        assert_eq!(
            (arn.as_str(), path),
            (ARN, &expected.iter().map(|&it| it.to_owned()).collect())
        );
    }
}

#[test]
fn an_endpoint_without_a_key_or_with_a_wrong_one_is_refused() {
    let named = ("DELIVERY_ENDPOINTS", Some(CRM));
    let short = r#"{"crm":"whsec_enE="}"#;
    for (keys, problem) in [
        (None, "is not set"),
        (Some("zq"), "is no JSON object of texts"),
        (Some(r#"{"zq":"zq"}"#), "has no value for crm"),
        (Some(r#"{"crm":""}"#), "has no value for crm"),
        (Some(r#"{"crm":"zq"}"#), "has a value for crm that is not `whsec_` and base64"),
        (Some(short), "has a value for crm that holds a key that is not 24 to 64 bytes"),
    ] {
        let error = refused(&[named, ("DELIVERY_SIGNING_KEYS", keys)]);
        assert_eq!(error.name, "DELIVERY_SIGNING_KEYS");
        assert!(error.problem.starts_with(problem), "{error}");
    }
    let both = [("DELIVERY_SIGNING_KEYS", Some("{}")), ("DELIVERY_SIGNING_KEYS_ARN", Some(ARN))];
    let error = refused(&[&[named][..], &both].concat());
    assert!(error.problem.contains("DELIVERY_SIGNING_KEYS_ARN"), "{error}");
}

#[test]
fn more_than_five_endpoints_together_are_refused() {
    let list = |count: usize| {
        let named = |number| format!(r#"{{"name":"n{number}","url":"https://a.example"}}"#);
        format!("[{}]", (0..count).map(named).collect::<Vec<_>>().join(","))
    };
    let keys: BTreeMap<String, &str> = (0..5).map(|number| (format!("n{number}"), KEY)).collect();
    let keys = serde_json::to_string(&keys).expect("JSON");
    let unnamed =
        [("DELIVERY_ENDPOINT", Some("https://a.example")), ("DELIVERY_SIGNING_KEY", Some(KEY))];
    let keys = ("DELIVERY_SIGNING_KEYS", Some(keys.as_str()));
    assert_eq!(endpoints(&[("DELIVERY_ENDPOINTS", Some(&list(5))), keys]).len(), 5);
    let four = list(4);
    let five = [&unnamed[..], &[("DELIVERY_ENDPOINTS", Some(&four)), keys]].concat();
    assert_eq!(endpoints(&five).len(), 5);
    let six = list(5);
    let six = [&unnamed[..], &[("DELIVERY_ENDPOINTS", Some(&six)), keys]].concat();
    assert_eq!(refused(&six).name, "DELIVERY_ENDPOINTS");
}

#[test]
fn a_function_that_sends_nothing_knows_the_receivers_without_their_keys() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let read = |changes: &[(&str, Option<&str>)]| {
        let environment = environment(changes);
        let dependencies = Dependencies::with_clock(&environment, clock.clone()).expect("right");
        ManagementSettings::read(&environment, &dependencies).map(|settings| settings.targets())
    };
    let targets = read(&[
        ("DELIVERY_ENDPOINTS", Some(CRM)),
        ("DELIVERY_ENDPOINT", Some("https://a.example")),
        ("DELIVERY_EVENT_BUS", Some("bus")),
    ]);
    let names: Vec<_> = targets.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(names, ["endpoint", "event-bus", "crm"]);
    assert_eq!(read(&[]).expect("none"), []);
    let error =
        read(&[("DELIVERY_ENDPOINTS", Some(r#"[{"name":"zq"}]"#))]).expect_err("no address");
    assert_eq!(error.name, "DELIVERY_ENDPOINTS");
    assert!(!error.to_string().contains("zq"), "{error}");
}
