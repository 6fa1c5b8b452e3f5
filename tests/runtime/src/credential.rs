//! The kinds of credential without a client secret, with which a binary can be deployed.

use std::collections::BTreeMap;

use emulator::TokenVersion;
use jiff::SignedDuration;
use local::test_env::TestEnv;

const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/marketplace-microsoft";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    Certificate,
    AwsIdentity,
    AzureIdentity,
}

impl Credential {
    fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::AwsIdentity => "aws-identity",
            Self::AzureIdentity => "azure-identity",
        }
    }

    /// Registers it at Entra for both applications, and returns the settings that take it in the
    /// place of the client secrets.
    pub fn settings(self, env: &TestEnv) -> BTreeMap<String, String> {
        let lifetime = SignedDuration::from_hours(24 * 365);
        let pem = env.microsoft().entra(|entra| {
            let (pem, ends) = entra.client_certificate(lifetime);
            let issuer = entra.aws_account().issuer.clone();
            let own_issuer = entra.issuer(TokenVersion::V2);
            let principal = entra.managed_identity().principal_id.clone();
            for name in ["ENTRA_CLIENT_ID", "LANDING_CLIENT_ID", "CONSOLE_CLIENT_ID"] {
                let application = &env.system.variables[name];
                entra.register_certificate(application, &pem, ends);
                entra.trust(application, &issuer, ROLE_ARN);
                entra.trust(application, &own_issuer, &principal);
            }
            pem
        });
        let certificate = if self == Self::Certificate { pem } else { String::new() };
        let mut settings = BTreeMap::new();
        for application in ["ENTRA", "LANDING", "CONSOLE"] {
            let mut set = |name: &str, value: &str| {
                settings.insert(format!("{application}_{name}"), value.to_owned());
            };
            set("CREDENTIAL", self.name());
            set("CLIENT_SECRET", "");
            set("CLIENT_SECRET_ARN", "");
            set("CLIENT_CERTIFICATE", &certificate);
        }
        let mut set = |name: &str, value: &str| settings.insert(name.to_owned(), value.to_owned());
        set("LANDING_COOKIE_KEY", "q8Zr2vN5xT0cYb7JmWkD4sLhPfGaUe31");
        set("CONSOLE_COOKIE_KEY", "w3Hn9dK6uR1eQz8LtVpB5mXcSaJfOy72");
        if self == Self::AwsIdentity {
            set("MICROSOFT_ROLE_ARN", ROLE_ARN);
            set("AWS_ENDPOINT_URL_STS", &env.microsoft().sts_url());
        }
        if self == Self::AzureIdentity {
            // The platform sets these.
            set("IDENTITY_ENDPOINT", &env.microsoft().identity_endpoint());
            set("IDENTITY_HEADER", &env.system.variables["IDENTITY_HEADER"]);
        }
        settings
    }
}
