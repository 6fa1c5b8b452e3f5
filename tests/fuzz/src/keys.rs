//! Signing keys, Entra's and a stranger's. Every process makes new ones; no assertion depends on
//! them.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use shared::config::MARKETPLACE_APP_ID;

use crate::{APP, ENTRA, TENANT, now};

const KID: &str = "kid-1";

/// An RSA key that signs as Entra does.
pub struct Key {
    pair: RsaKeyPair,
    /// The modulus, as published.
    pub n: String,
    /// The exponent, as published.
    pub e: String,
}

/// Entra's key for the publisher's tenant.
pub fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(Key::new)
}

/// Another key, under the same id.
pub fn stranger() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(Key::new)
}

impl Key {
    fn new() -> Self {
        let private = rsa::RsaPrivateKey::new(&mut OsRng, 2048).expect("a size RSA keys can have");
        let document = private.to_pkcs8_der().expect("a key that can be written");
        Self {
            pair: RsaKeyPair::from_pkcs8(document.as_bytes()).expect("a key as ring likes it"),
            n: URL_SAFE_NO_PAD.encode(private.n().to_bytes_be()),
            e: URL_SAFE_NO_PAD.encode(private.e().to_bytes_be()),
        }
    }

    pub fn kid(&self) -> &'static str {
        KID
    }

    /// The key document that Entra publishes.
    pub fn document(&self) -> Bytes {
        let key = json!({ "kty": "RSA", "use": "sig", "kid": KID, "n": self.n, "e": self.e });
        json!({ "keys": [key] }).to_string().into()
    }

    /// A token with any header and claims.
    pub fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let input =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)
            .expect("a signature as long as the modulus");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The JOSE header of a good token.
    pub fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "RS256", "kid": KID })
    }

    /// Microsoft's webhook token, as version 1 and as version 2 (F-WHJ-2).
    pub fn genuine(&self) -> &'static [String; 2] {
        static GENUINE: OnceLock<[String; 2]> = OnceLock::new();
        GENUINE.get_or_init(|| {
            let (nbf, exp) = (now().as_second(), now().as_second() + 3600);
            let v1 = json!({
                "aud": APP, "iss": format!("https://sts.windows.net/{TENANT}/"), "tid": TENANT,
                "exp": exp, "nbf": nbf, "ver": "1.0", "appid": MARKETPLACE_APP_ID,
            });
            let v2 = json!({
                "aud": APP, "iss": format!("{ENTRA}/{TENANT}/v2.0"), "tid": TENANT,
                "exp": exp, "ver": "2.0", "azp": MARKETPLACE_APP_ID,
            });
            [v1, v2].map(|claims| {
                self.sign(self.header().to_string().as_bytes(), claims.to_string().as_bytes())
            })
        })
    }
}
