//! Every id, token and key of a run comes from one seed, so a run can be repeated exactly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::rand_core::{CryptoRng, Error, RngCore, impls};
use uuid::Uuid;

/// SplitMix64: small, fast, and the same on every machine. It is predictable, so it must not make
/// real secrets.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A purchase token: a long base64 text that contains `+`, `/` and `=` (F-RES-3).
    pub(crate) fn purchase_token(&mut self) -> String {
        loop {
            let mut bytes = [0; 160];
            self.fill_bytes(&mut bytes);
            let token = STANDARD.encode(bytes);
            if token.contains('+') && token.contains('/') {
                return token;
            }
        }
    }
}

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        impls::fill_bytes_via_next(self, dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

// The generator of RSA keys accepts only a random source with this mark. The emulator's keys
// protect nothing and must be repeatable.
impl CryptoRng for Seeded {}
