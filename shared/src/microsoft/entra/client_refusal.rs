//! What Entra's refusal of an application means.

use std::collections::BTreeSet;

use crate::host::error_class::{CredentialFault, ErrorClass};

/// The client secret has expired (F-AUTH-16).
const EXPIRED: u64 = 7_000_222;

/// The client secret is wrong (F-AUTH-16).
const WRONG: u64 = 7_000_215;

/// The certificate is not registered, or its life is over; and the assertion is outside of its time
/// (F-CRED-5).
const CERTIFICATE: u64 = 700_027;
const NOT_IN_TIME: u64 = 700_024;

/// The app registration does not trust the assertion's issuer, audience or subject (F-CRED-11).
const UNTRUSTED: [u64; 6] = [70_021, 700_211, 700_212, 700_213, 7_002_137, 7_002_138];

/// The application or the tenant is unknown (F-AUTH-16). Both are settings.
const UNKNOWN: [u64; 2] = [700_016, 90_002];

/// The class of a refusal by Entra's word (`error`) and its AADSTS numbers. The word alone does not
/// tell an expired secret from a wrong one.
pub fn class_of_refusal(error: &str, codes: &BTreeSet<u64>) -> ErrorClass {
    if codes.contains(&EXPIRED) {
        ErrorClass::Credential(CredentialFault::Expired)
    } else if codes.contains(&WRONG) {
        ErrorClass::Credential(CredentialFault::Wrong)
    } else if codes.contains(&CERTIFICATE) {
        ErrorClass::Credential(CredentialFault::Certificate)
    } else if codes.contains(&NOT_IN_TIME) {
        ErrorClass::Credential(CredentialFault::NotInTime)
    } else if UNTRUSTED.iter().any(|code| codes.contains(code)) {
        ErrorClass::Credential(CredentialFault::Untrusted)
    } else if UNKNOWN.iter().any(|code| codes.contains(code)) {
        ErrorClass::Configuration
    } else if error == "invalid_client" {
        ErrorClass::Credential(CredentialFault::Unaccepted)
    } else {
        ErrorClass::Configuration
    }
}

/// Whether the numbers alone say that Entra refuses the credential. The word beside them differs:
/// a missing trust also comes as `invalid_request`.
pub fn refuses_credential(codes: &BTreeSet<u64>) -> bool {
    matches!(class_of_refusal("", codes), ErrorClass::Credential(_))
}

/// The numbers and what they mean, for people. Entra's own sentence may name what it refuses.
pub fn describe_refusal(error: &str, codes: &BTreeSet<u64>) -> String {
    let mut text = error.to_owned();
    for code in codes {
        text.push_str(&format!(" AADSTS{code}"));
    }
    if let ErrorClass::Credential(fault) = class_of_refusal(error, codes) {
        text.push_str(&format!(": {}", fault.text()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_auth_16_an_expired_a_wrong_and_a_misaddressed_secret_are_told_apart() {
        let credential = ErrorClass::Credential;
        for (error, codes, class) in [
            ("invalid_client", &[7_000_222][..], credential(CredentialFault::Expired)),
            ("invalid_client", &[7_000_215], credential(CredentialFault::Wrong)),
            ("invalid_client", &[700_027], credential(CredentialFault::Certificate)),
            ("invalid_client", &[700_024], credential(CredentialFault::NotInTime)),
            ("invalid_client", &[700_213], credential(CredentialFault::Untrusted)),
            ("invalid_client", &[], credential(CredentialFault::Unaccepted)),
            ("invalid_client", &[700_023], credential(CredentialFault::Unaccepted)),
            ("invalid_request", &[70_021], credential(CredentialFault::Untrusted)),
            ("invalid_client", &[7_002_138], credential(CredentialFault::Untrusted)),
            ("invalid_client", &[700_016], ErrorClass::Configuration),
            ("unauthorized_client", &[700_016], ErrorClass::Configuration),
            ("invalid_request", &[90_002], ErrorClass::Configuration),
            ("invalid_resource", &[500_011], ErrorClass::Configuration),
            ("without a reason", &[], ErrorClass::Configuration),
        ] {
            let codes = codes.iter().copied().collect();
            assert_eq!(class_of_refusal(error, &codes), class, "{error} {codes:?}");
        }
        let text = describe_refusal("invalid_client", &[7_000_222].into());
        assert_eq!(text, "invalid_client AADSTS7000222: the secret has expired");
        let text = describe_refusal("invalid_request", &[90_002].into());
        assert_eq!(text, "invalid_request AADSTS90002");
    }
}
