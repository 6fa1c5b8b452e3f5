//! A wrong setting: the binary must exit at once, with one line that names it.

use std::path::Path;
use std::time::Duration;

use crate::aws::{SECRET_ARN, SIGNING_KEY_ARN};
use crate::azure;
use crate::deployment::tested;
use crate::process::{Process, Variables};

/// A wrong setting: its name, and an invalid value or `None` if it is missing.
pub type Wrong = (&'static str, Option<&'static str>);

/// A value that no setting accepts. No message may repeat it, because it could be a misplaced
/// secret.
const NONSENSE: Option<&str> = Some("zq-nonsense-9f31");

/// Settings that every function refuses.
pub const EVERYWHERE: &[Wrong] = &[
    ("MARKETPLACE_URL", NONSENSE),
    ("MARKETPLACE_URL", Some("ftp://zq-nonsense-9f31/api")),
    ("MARKETPLACE_URL", Some("http://zq-nonsense-9f31.example/api")),
    ("MARKETPLACE_URL", Some("https://zq:nonsense-9f31@marketplaceapi.example/api")),
    ("MARKETPLACE_APP_ID", NONSENSE),
    ("ENTRA_AUTHORITY", NONSENSE),
    ("ENTRA_AUTHORITY", Some("http://zq-nonsense-9f31.example")),
    ("ENTRA_TENANT_ID", None),
    ("ENTRA_TENANT_ID", NONSENSE),
    ("ENTRA_CLIENT_ID", None),
    ("ENTRA_CLIENT_ID", NONSENSE),
    ("ENTRA_CREDENTIAL", NONSENSE),
    ("MICROSOFT_ROLE_ARN", NONSENSE),
    ("ENTRA_TOKEN_ENDPOINT", NONSENSE),
    ("TABLE_NAME", None),
    ("AWS_REGION", None),
    ("AWS_ACCESS_KEY_ID", None),
    ("AWS_SECRET_ACCESS_KEY", None),
    ("LOG_LEVEL", NONSENSE),
    ("METRICS_NAMESPACE", Some("zq nonsense 9f31")),
];

/// For secrets in Secrets Manager.
pub const SECRET_OF_LAMBDA: &[Wrong] =
    &[("ENTRA_CLIENT_SECRET_ARN", None), ("ENTRA_CLIENT_SECRET_ARN", NONSENSE)];

/// For secrets in the environment.
pub const SECRET_OF_AZURE: &[Wrong] = &[("ENTRA_CLIENT_SECRET", None)];

/// For the landing page.
pub const LANDING: &[Wrong] = &[
    ("ACTIVATION", NONSENSE),
    ("LANDING_SIGN_IN", NONSENSE),
    ("LANDING_CREDENTIAL", NONSENSE),
    ("LANDING_CLIENT_ID", None),
    ("LANDING_CLIENT_ID", NONSENSE),
    ("LANDING_BASE_URL", NONSENSE),
    ("LANDING_BASE_URL", Some("http://zq-nonsense-9f31.example")),
    ("LANDING_BASE_URL", Some("https://zq-nonsense-9f31.example/landing")),
    ("LANDING_PUBLISHER_NAME", Some("zq-nonsense-9f31\u{7}")),
    ("LANDING_LOGO", NONSENSE),
    ("LANDING_LOGO", Some("https://zq-nonsense-9f31.example/logo.svg")),
    ("LANDING_ACCENT", NONSENSE),
    ("LANDING_SUPPORT", NONSENSE),
    ("LANDING_PRODUCT_URL", Some("http://zq-nonsense-9f31.example")),
    ("LANDING_PRIVACY_URL", Some("http://zq-nonsense-9f31.example")),
    ("LANDING_TERMS_URL", NONSENSE),
    ("LANDING_IMPRINT_URL", NONSENSE),
    ("LANDING_LOGO_DARK", NONSENSE),
    ("LANDING_LOGO_DARK", Some("https://zq-nonsense-9f31.example/logo.svg")),
    ("RETENTION_DAYS", NONSENSE),
    ("RETENTION_DAYS", Some("99999")),
    ("LANDING_OFFERS", NONSENSE),
    ("LANDING_OFFERS", Some(r#"{"zq-nonsense-9f31":{"name":""}}"#)),
    ("LANDING_OFFERS", Some(r#"{"zq-nonsense-9f31":{"languages":["zq-nonsense-9f31"]}}"#)),
    ("LANDING_OFFERS", Some(r#"{"zq-nonsense-9f31":{"zq-nonsense-9f31":1}}"#)),
    ("LANDING_SIGN_UP_URL", NONSENSE),
    ("LANDING_SIGN_UP_URL", Some("http://zq-nonsense-9f31.example/sign-up")),
    ("LANDING_FIELDS", NONSENSE),
    ("LANDING_FIELDS", Some(r#"[{"name":"zq-nonsense-9f31","label":""}]"#)),
];

/// Wrong secrets of the landing page where Secrets Manager keeps them.
pub const LANDING_SECRET_OF_LAMBDA: &[Wrong] =
    &[("LANDING_CLIENT_SECRET_ARN", None), ("LANDING_CLIENT_SECRET_ARN", NONSENSE)];

/// The same where the environment holds them, and no gateway names the page's host.
pub const LANDING_OF_AZURE: &[Wrong] = &[
    ("LANDING_BASE_URL", None),
    ("LANDING_CLIENT_SECRET", None),
    ("LANDING_COOKIE_KEY", NONSENSE),
];

/// For the staff console.
pub const CONSOLE: &[Wrong] = &[
    ("CONSOLE_CLIENT_ID", None),
    ("CONSOLE_CLIENT_ID", NONSENSE),
    ("CONSOLE_TENANT_ID", NONSENSE),
    ("CONSOLE_CREDENTIAL", NONSENSE),
    ("CONSOLE_CLIENT_SECRET_ARN", None),
    ("CONSOLE_CLIENT_SECRET_ARN", NONSENSE),
    ("CONSOLE_COOKIE_KEY", NONSENSE),
    ("CONSOLE_BASE_URL", NONSENSE),
    ("CONSOLE_BASE_URL", Some("http://zq-nonsense-9f31.example")),
    ("CONSOLE_BASE_URL", Some("https://zq-nonsense-9f31.example/console")),
];

/// Wrong settings of what answers changes.
pub const CHANGES: &[Wrong] = &[
    ("CHANGE_POLICY", NONSENSE),
    ("CHANGE_RULES", NONSENSE),
    ("CHANGE_RULES", Some(r#"{"zq-nonsense-9f31":{"zq-nonsense-9f31":1}}"#)),
    ("CHANGE_RULES", Some(r#"{"zq-nonsense-9f31":{"noDowngrades":["zq-nonsense-9f31"]}}"#)),
    ("DECISION_URL", NONSENSE),
    ("DECISION_URL", Some("http://zq-nonsense-9f31.example/decisions")),
    ("DECISION_URL", Some("https://zq:nonsense-9f31@product.example/decisions")),
    ("DECISION_FALLBACK", NONSENSE),
];

/// For the reconciliation.
pub const RECONCILIATION: &[Wrong] =
    &[("IMPORT", NONSENSE), ("RETENTION_DAYS", NONSENSE), ("RETENTION_DAYS", Some("99999"))];

/// For a function that doesn't call Microsoft.
pub const WITHOUT_MICROSOFT: &[Wrong] = &[
    ("TABLE_NAME", None),
    ("AWS_REGION", None),
    ("AWS_ACCESS_KEY_ID", None),
    ("AWS_SECRET_ACCESS_KEY", None),
    ("LOG_LEVEL", NONSENSE),
];

/// For the delivery.
pub const DELIVERY: &[Wrong] = &[
    ("DELIVERY_ENDPOINT", NONSENSE),
    ("DELIVERY_ENDPOINT", Some("http://zq-nonsense-9f31.example/events")),
    ("DELIVERY_ENDPOINT", Some("https://zq:nonsense-9f31@product.example/events")),
    ("DELIVERY_ENDPOINT", Some("https://product.example/events#zq-nonsense-9f31")),
    ("DELIVERY_ENDPOINTS", NONSENSE),
    ("DELIVERY_ENDPOINTS", Some(r#"[{"name":"zq-nonsense-9f31"}]"#)),
    (
        "DELIVERY_ENDPOINTS",
        Some(r#"[{"name":"a","url":"https://a.example","zq-nonsense-9f31":1}]"#),
    ),
    ("DELIVERY_SOURCE", NONSENSE),
    ("DELIVERY_PARK_AFTER_DAYS", NONSENSE),
    ("DELIVERY_RATE_LIMIT", NONSENSE),
];

/// For the delivery on Lambda. The custom handler starts without an endpoint; the function doesn't.
pub const DELIVERY_OF_LAMBDA: &[Wrong] = &[
    ("DELIVERY_ENDPOINT", None),
    ("DELIVERY_SIGNING_KEY_ARN", None),
    ("DELIVERY_SIGNING_KEY_ARN", NONSENSE),
];

/// For the delivery's signing key in the environment.
pub const DELIVERY_OF_AZURE: &[Wrong] = &[
    ("DELIVERY_SIGNING_KEY", None),
    ("DELIVERY_SIGNING_KEY", NONSENSE),
    ("DELIVERY_SIGNING_KEY", Some("whsec_bm9uc2Vuc2UtOWYzMQ==")),
];

/// For the custom handler.
pub const PORT: &[Wrong] =
    &[("FUNCTIONS_CUSTOMHANDLER_PORT", None), ("FUNCTIONS_CUSTOMHANDLER_PORT", NONSENSE)];

/// For the custom handler, which serves no console.
pub const CONSOLE_OF_AZURE: &[Wrong] = &[("CONSOLE_CLIENT_ID", NONSENSE)];

/// A binary that is still running after this time has accepted the setting.
const EXIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts a function's binary once for each wrong setting, with all others right.
///
/// # Panics
/// When the binary starts, or doesn't exit with one line that names the setting.
pub async fn lambda_refuses(function: &str, binary: &Path, wrong: &[Wrong]) {
    let mut right = tested().environment(function);
    for (name, value) in &mut right {
        if let Some(known) = deployed(name) {
            *value = known;
        }
    }
    right.extend(aws_variables());
    // No server listens there. A binary that connects to it has accepted the setting.
    right.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), "127.0.0.1:9".to_owned());
    for name in ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"] {
        right.insert(name.to_owned(), function.to_owned());
    }
    right.insert("AWS_LAMBDA_FUNCTION_MEMORY_SIZE".to_owned(), "128".to_owned());
    for case in wrong {
        refuses(binary, &right, case).await;
    }
}

/// Like [`lambda_refuses`], for the custom handler.
///
/// # Panics
/// As [`lambda_refuses`].
pub async fn azure_refuses(binary: &Path, wrong: &[Wrong]) {
    let mut right = azure::settings();
    for (name, value) in &mut right {
        if let Some(known) = deployed(name) {
            *value = known;
        }
    }
    right.extend(aws_variables());
    for name in ["ENTRA_CLIENT_SECRET", "LANDING_CLIENT_SECRET"] {
        right.insert(name.to_owned(), "a-secret".to_owned());
    }
    right.insert("FUNCTIONS_CUSTOMHANDLER_PORT".to_owned(), "0".to_owned());
    for case in wrong {
        refuses(binary, &right, case).await;
    }
}

/// The values that an operator provides.
fn deployed(name: &str) -> Option<String> {
    let value = match name {
        "ENTRA_TENANT_ID" => "8d7b0a3e-5f4c-4c7d-9f2a-6f1e0c2b9a11",
        "ENTRA_CLIENT_ID" => "4b1d6c52-0f3e-4a86-b7d9-2c5e8f7a6013",
        "ENTRA_CREDENTIAL" | "LANDING_CREDENTIAL" | "CONSOLE_CREDENTIAL" => "secret",
        "ENTRA_CLIENT_SECRET_ARN" => SECRET_ARN,
        "TABLE_NAME" => "subscriptions",
        "LANDING_SIGN_IN" => "entra",
        "LANDING_CLIENT_ID" => "e0a5f9d4-7c1b-4e2f-8a36-91d4b7c3f528",
        "LANDING_CLIENT_SECRET_ARN" => SECRET_ARN,
        "CONSOLE_CLIENT_ID" => "0f8fad5b-d9cb-469f-a165-70867728950e",
        "CONSOLE_CLIENT_SECRET_ARN" => SECRET_ARN,
        "LANDING_BASE_URL" => "https://signup.example.com",
        "DELIVERY_ENDPOINT" => "https://product.example/events",
        // With a bus, the delivery starts without an endpoint.
        "DELIVERY_EVENT_BUS" => "",
        "DELIVERY_SIGNING_KEY" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "DELIVERY_SIGNING_KEY_ARN" => SIGNING_KEY_ARN,
        _ => return None,
    };
    Some(value.to_owned())
}

fn aws_variables() -> Variables {
    [
        ("AWS_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a-key"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

async fn refuses(binary: &Path, right: &Variables, (name, value): &Wrong) {
    println!("{name}={value:?}");
    let mut variables = right.clone();
    match value {
        Some(value) => variables.insert((*name).to_owned(), (*value).to_owned()),
        None => {
            let was = variables.remove(*name);
            assert!(was.is_some(), "{name} is a setting");
            was
        }
    };
    let mut process = Process::start(binary, &variables);
    let status = tokio::time::timeout(EXIT_TIMEOUT, process.ended()).await;
    let written = process.end().await;
    let status = status.expect("a wrong setting ends the start");
    assert!(!status.success() && status.code().is_some(), "{status}");
    let lines: Vec<&str> = written.stderr.lines().collect();
    let &[line] = lines.as_slice() else { panic!("not one line: {}", written.stderr) };
    assert!(line.contains(name), "{name} is not named: {line}");
    if let Some(value) = value {
        for text in [line, &written.stdout] {
            assert!(!text.contains(value), "{name}: the value is in the message: {text}");
            assert!(!text.contains("nonsense-9f31"), "{name}: a part of the value: {text}");
        }
    }
}
