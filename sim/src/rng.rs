//! Randomness: every draw comes from the run's seed and a name for what is drawn.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A generator that gives the same numbers on every platform.
pub type Rng = ChaCha8Rng;

/// A seed from which independent generators are derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed for one part of a run: the same name gives the same seed, other names give others.
    #[must_use]
    pub fn derive(self, name: &str) -> Self {
        // FNV-1a over the name, started from the seed: names are few and short.
        let hash = name
            .bytes()
            .fold(self.0 ^ 0xCBF2_9CE4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
            });
        Self(hash)
    }

    /// A generator for one moment of that part: what it gives depends on nothing drawn before.
    #[must_use]
    pub fn stream(self, stream: u64) -> Rng {
        let mut rng = Rng::seed_from_u64(self.0);
        rng.set_stream(stream);
        rng
    }
}
