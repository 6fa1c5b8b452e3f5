//! The kinds of credential with which the publisher's applications prove themselves at Entra:
//! the group F-CRED. Every refusal names what the operator has to do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emulator::{Entra, FUNCTION_ROLE, Purchase, Settings, World};
use jiff::{SignedDuration, Timestamp};
use local::Options;
use shared::config::Dependencies;
use shared::host::clock::{Clock, SystemClock};
use shared::host::environment::Environment;
use shared::host::retry::{RetryPolicy, Transient as _};
use shared::microsoft::entra::{Certificate, CertificateError};

use crate::browser::Browser;
use crate::log_lines::Lines;
use crate::test_env::TestEnv;

const ADELE: &str = "adele@contoso.example";
const ROLE: &str = "arn:aws:iam::123456789012:role/marketplace-microsoft";
pub(crate) const COOKIE_KEY: &str = "0123456789abcdef0123456789abcdef";
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

pub(crate) const KINDS: [&str; 3] = ["certificate", "aws-identity", "azure-identity"];

fn certificate(lifetime: SignedDuration) -> (String, Timestamp) {
    World::new(Settings::default()).entra().client_certificate(lifetime)
}

/// A system with sign-in whose two applications have this kind of credential, and no secret.
/// `register` makes their registrations at Entra.
async fn system(kind: &str, register: impl Fn(&mut Entra, &str)) -> TestEnv {
    system_with(Options::default().with("LANDING_SIGN_IN", "entra"), kind, register).await
}

/// The same with other settings.
pub(crate) async fn system_with(
    options: Options,
    kind: &str,
    register: impl Fn(&mut Entra, &str),
) -> TestEnv {
    let mut options = options
        .with("LANDING_COOKIE_KEY", COOKIE_KEY)
        .with("MICROSOFT_ROLE_ARN", ROLE)
        .with("ENTRA_CREDENTIAL", kind)
        .with("LANDING_CREDENTIAL", kind);
    if kind == "certificate" {
        let (pem, _) = certificate(YEAR);
        options =
            options.with("ENTRA_CLIENT_CERTIFICATE", &pem).with("LANDING_CLIENT_CERTIFICATE", &pem);
    }
    let env = TestEnv::with(options).await;
    let settings = Settings::default();
    env.microsoft().entra(|entra| {
        // Whoever sent a secret would be refused.
        entra.set_client_secret("nobody knows it");
        entra.set_landing_client_secret("nobody knows it");
        for application in [settings.client_id, settings.landing_client_id] {
            register(entra, &application);
        }
    });
    env
}

/// Registers what each kind needs.
pub(crate) fn register(entra: &mut Entra, application: &str) {
    let (pem, ends) = certificate(YEAR);
    entra.register_certificate(application, &pem, ends);
    let issuer = entra.aws_account().issuer.clone();
    entra.trust(application, &issuer, ROLE);
    let own_issuer = entra.issuer(emulator::TokenVersion::V2);
    let principal = entra.managed_identity().principal_id.clone();
    entra.trust(application, &own_issuer, &principal);
}

/// What a call of Microsoft's API fails with, and whether another try may help.
async fn failure(env: &TestEnv) -> (String, bool) {
    failure_at(env, env.system.clock.clone()).await
}

/// The same by another clock than the system's.
async fn failure_at(env: &TestEnv, clock: Arc<dyn Clock>) -> (String, bool) {
    let variables: BTreeMap<String, String> = env.system.variables.clone();
    let environment = Environment::from_fn(move |name| variables.get(name).cloned());
    let dependencies =
        Dependencies::with_clock(&environment, clock.clone()).expect("the settings are fine");
    let client = dependencies.microsoft.marketplace(RetryPolicy::INTERACTIVE, clock);
    let error = client.list_subscriptions(None).await.expect_err("there is no token");
    (error.to_string(), error.is_transient())
}

#[tokio::test]
async fn each_kind_plays_a_whole_life_without_a_secret() {
    for kind in KINDS {
        let env = system(kind, register).await;
        let id = env.purchase(Purchase::per_seat("basic", 7));
        let mut browser = Browser::new(&env);
        let entra = browser.arrive(id).await;
        let back = browser.pick(&entra, ADELE).await;
        browser.come_back(&back).await;
        let active = browser.confirm().await;
        assert!(active.body.contains("Your subscription is active"), "{kind}: {}", active.body);
        env.world(|world| world.change_quantity(id, 9)).expect("a change");
        env.deliver().await;
        env.world(|world| world.unsubscribe(id)).expect("a cancellation");
        env.deliver().await;
        env.system.reconcile().await.expect("a run");
        let events = env.event_names(id).await;
        assert_eq!(events, ["Purchased", "Activated", "QuantityChanged", "Unsubscribed"], "{kind}");
    }
}

#[tokio::test]
async fn a_certificate_that_entra_does_not_accept_is_named() {
    for (lifetime, registered) in [(YEAR, false), (SignedDuration::from_mins(-1), true)] {
        let env = system("certificate", |entra, application| {
            if registered {
                // The system has the certificate that is valid for a year.
                let (pem, _) = certificate(YEAR);
                let (_, ends) = certificate(lifetime);
                entra.register_certificate(application, &pem, ends);
            }
        })
        .await;
        let (says, is_transient) = failure(&env).await;
        assert!(says.contains("AADSTS700027"), "F-CRED-5: {says}");
        assert!(says.contains("the certificate is not registered"), "{says}");
        assert!(!is_transient, "{says}");
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_named_where_a_certificate_signs() {
    let env = system("certificate", register).await;
    // The emulator's time is not the machine's.
    let (says, is_transient) = failure_at(&env, Arc::new(SystemClock)).await;
    assert!(says.contains("AADSTS700024") && says.contains("clock"), "F-CRED-5: {says}");
    assert!(!is_transient, "{says}");
}

#[tokio::test]
async fn an_identity_that_entra_does_not_trust_is_shown_with_what_entra_compares() {
    // F-CRED-11: issuer, audience and subject are compared, each with a number of its own.
    for (kind, number) in [("aws-identity", "AADSTS70021"), ("azure-identity", "AADSTS70021")] {
        let env = system(kind, |_, _| {}).await;
        let (says, is_transient) = failure(&env).await;
        assert!(says.contains(number) && !is_transient, "{says}");
        let (issuer, subject) = env.microsoft().entra(|entra| match kind {
            "aws-identity" => (entra.aws_account().issuer.clone(), ROLE.to_owned()),
            _ => (
                entra.issuer(emulator::TokenVersion::V2),
                entra.managed_identity().principal_id.clone(),
            ),
        });
        assert!(says.contains(&issuer) && says.contains(&subject), "{says}");
    }
    let env = system("aws-identity", |entra, application| {
        let issuer = entra.aws_account().issuer.clone();
        entra.trust(application, &issuer, FUNCTION_ROLE);
    })
    .await;
    let (says, _) = failure(&env).await;
    assert!(says.contains("AADSTS700213") && says.contains(ROLE), "{says}");
}

#[tokio::test]
async fn the_landing_page_names_the_identity_that_entra_does_not_trust() {
    let (lines, _guard) = Lines::collect("warn,emulator=off,tests=off");
    // The marketplace's app trusts the role, and the landing page's app does not.
    let env = system("aws-identity", |entra, application| {
        if application == Settings::default().client_id {
            register(entra, application);
        }
    })
    .await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    let entra = browser.arrive(id).await;
    let back = browser.pick(&entra, ADELE).await;
    lines.take();
    browser.come_back(&back).await;
    let written = lines.take();
    let refused = written.iter().find(|line| line["class"] == "credential");
    let refused = refused.unwrap_or_else(|| panic!("no line of the class: {written:#?}"));
    let text = refused.to_string();
    assert!(text.contains("AADSTS70021") && text.contains(ROLE), "{text}");
    assert_eq!(refused["metric"], "credential", "{text}");
}

#[test]
fn a_pem_text_is_read_in_any_order_and_with_a_chain_and_else_refused() {
    let (pem, ends) = certificate(YEAR);
    let at = pem.find("-----BEGIN PRIVATE KEY").expect("a key");
    let (leaf, key) = pem.split_at(at);
    let (other, _) = certificate(2 * YEAR);
    let issuer = other.split("-----BEGIN PRIVATE KEY").next().expect("a certificate");
    let foreign = World::new(Settings::default()).entra().foreign_certificate();
    for text in
        [pem.clone(), [key, leaf].concat(), [leaf, issuer, key].concat(), format!("\n{pem}\n")]
    {
        let read = Certificate::parse(&text).map(|certificate| certificate.ends());
        let seconds = |time: Timestamp| time.as_second();
        assert_eq!(read.map(seconds), Ok(seconds(ends)));
    }
    const NOTHING: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (text, error) in [
        (key.to_owned(), CertificateError::NoCertificate),
        (leaf.to_owned(), CertificateError::NoKey),
        ([leaf, NOTHING].concat(), CertificateError::UnusableKey),
        ([&foreign, key].concat(), CertificateError::OtherKey),
        (
            ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key].concat(),
            CertificateError::UnreadableCertificate,
        ),
    ] {
        assert_eq!(Certificate::parse(&text).err(), Some(error));
    }
}

#[tokio::test]
async fn what_aws_refuses_says_what_to_do_and_what_passes_is_tried_again() {
    for (code, says, passes) in [
        ("disabled", "aws iam enable-outbound-web-identity-federation", false),
        ("denied", "the role's trust policy", false),
        ("Throttling", "AWS is unavailable", true),
    ] {
        let env = system("aws-identity", register).await;
        env.microsoft().entra(|entra| {
            let account = entra.aws_account();
            match code {
                "disabled" => account.issues_tokens = false,
                "denied" => account.allows = false,
                other => account.fails_with = Some((400, other.to_owned())),
            }
        });
        let (said, is_transient) = failure(&env).await;
        assert!(said.contains(says), "{said}");
        assert_eq!(is_transient, passes, "{said}");
    }
}

#[tokio::test]
async fn what_azure_refuses_says_what_to_do_and_what_passes_is_tried_again() {
    for (status, says, passes) in [
        (None, "assign the user-assigned identity", false),
        (Some(400), "assign the user-assigned identity", false),
        (Some(503), "is unavailable: 503", true),
    ] {
        let env = system("azure-identity", register).await;
        env.microsoft().entra(|entra| {
            let identity = entra.managed_identity();
            identity.fails_with = status;
            if status.is_none() {
                "another".clone_into(&mut identity.client_id);
            }
        });
        let (said, is_transient) = failure(&env).await;
        assert!(said.contains(says), "{said}");
        assert_eq!(is_transient, passes, "{said}");
    }
}

#[tokio::test]
async fn a_setting_of_another_kind_stops_the_start() {
    let (pem, _) = certificate(YEAR);
    let broken = pem.replace("PRIVATE KEY", "SOMETHING ELSE");
    for (settings, named, says) in [
        (vec![("ENTRA_CREDENTIAL", "password")], "ENTRA_CREDENTIAL", "must be `secret`"),
        (
            vec![("ENTRA_CREDENTIAL", "aws-identity"), ("ENTRA_CLIENT_SECRET", "hunter2")],
            "ENTRA_CLIENT_SECRET",
            "does not belong to the kind",
        ),
        (
            vec![
                ("ENTRA_CREDENTIAL", "azure-identity"),
                ("ENTRA_CLIENT_SECRET_ARN", "arn:aws:secretsmanager:eu-north-1:1:secret:a"),
            ],
            "ENTRA_CLIENT_SECRET_ARN",
            "does not belong to the kind",
        ),
        (
            vec![("ENTRA_CREDENTIAL", "secret"), ("ENTRA_CLIENT_CERTIFICATE", &pem)],
            "ENTRA_CLIENT_CERTIFICATE",
            "does not belong to the kind",
        ),
        (
            vec![("ENTRA_CREDENTIAL", "certificate"), ("ENTRA_CLIENT_CERTIFICATE", &broken)],
            "ENTRA_CLIENT_CERTIFICATE",
            "no PEM section `PRIVATE KEY`",
        ),
        (vec![("ENTRA_CREDENTIAL", "certificate")], "ENTRA_CLIENT_CERTIFICATE", "is not set"),
        (
            vec![("ENTRA_CREDENTIAL", "aws-identity"), ("ENTRA_TOKEN_ENDPOINT", "v1")],
            "ENTRA_TOKEN_ENDPOINT",
            "must be `v2`",
        ),
        (
            vec![("AWS_ROLE_ARN", ROLE), ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")],
            "AWS_ROLE_ARN",
            "one of them is enough",
        ),
        (
            vec![("ENTRA_CREDENTIAL", "aws-identity"), ("MICROSOFT_ROLE_ARN", "role/a")],
            "MICROSOFT_ROLE_ARN",
            "is not an ARN",
        ),
    ] {
        let mut options = Options::default();
        for (name, value) in &settings {
            options = options.with(name, value);
        }
        let error = local::system::LocalSystem::start(options).await.err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(named) && error.contains(says), "{named}: {error}");
        assert!(!error.contains("hunter2") && !error.contains("MII"), "{error}");
    }
}

#[tokio::test]
async fn one_token_costs_two_calls_of_aws_with_a_shared_role() {
    let env = system("aws-identity", register).await;
    let before = env.microsoft().entra(|entra| entra.aws_account().calls());
    for _ in 0..3 {
        env.system.reconcile().await.expect("a run");
        env.advance(Duration::from_secs(60));
    }
    let after = env.microsoft().entra(|entra| entra.aws_account().calls());
    assert_eq!(after - before, 2, "the role is assumed and the token requested, once an hour");
}

#[tokio::test]
async fn on_azure_a_role_of_aws_that_trusts_the_identity_reaches_the_table() {
    let options = Options::default()
        .with("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/marketplace-table")
        .with("AWS_ROLE_AUDIENCE", "api://c1a7e5d2-8b40-4f6e-9d13-7a2c6e0f4b58");
    let env = TestEnv::with(options).await;
    let id = env.purchase(Purchase::flat_rate("silver").auto_activated());
    let refused = env.system.reconcile().await.expect_err("the role trusts nobody yet");
    assert!(refused.to_string().contains("InvalidIdentityToken"), "{refused}");
    env.microsoft().entra(|entra| {
        let principal = entra.managed_identity().principal_id.clone();
        entra.aws_account().trusted_subjects.push(principal);
    });
    env.system.reconcile().await.expect("a run");
    assert!(env.record(id).await.is_some());
}
