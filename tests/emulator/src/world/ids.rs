//! Everything random in a run, from one seed, so that a run can be repeated exactly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::rand_core::{CryptoRng, Error, RngCore, impls};
use uuid::Uuid;

/// SplitMix64: small, fast, the same on every machine. Not for secrets; nothing here is secret.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next GUID.
    pub fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// The next purchase token: long base64 text that has `+`, `/` and `=` (F-RES-3).
    pub fn purchase_token(&mut self) -> String {
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

// The key generator asks for this mark. The keys of an emulator protect nothing and must be repeatable.
impl CryptoRng for Seeded {}
