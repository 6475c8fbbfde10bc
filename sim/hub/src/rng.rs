//! Randomness: every draw comes from the run's seed and a name for what is drawn.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;

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

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn every_name_and_every_stream_has_numbers_of_its_own() {
        let first = |seed: Seed, stream| seed.stream(stream).random::<u64>();
        let seed = Seed(7);
        assert_eq!(
            first(seed.derive("bms"), 3),
            first(Seed(7).derive("bms"), 3)
        );
        assert_ne!(seed.derive("bms"), seed.derive("can 84"));
        assert_ne!(seed.derive("bms"), Seed(8).derive("bms"));
        assert_ne!(first(seed, 0), first(seed, 1));
        assert_ne!(seed.derive("a").derive("b"), seed.derive("b").derive("a"));
    }

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut rng = Seed(0).derive("bms").stream(1);
        let drawn: [u32; 3] = std::array::from_fn(|_| rng.random());
        assert_eq!(drawn, [2_209_215_721, 49_502_226, 1_439_705_271]);
    }
}
