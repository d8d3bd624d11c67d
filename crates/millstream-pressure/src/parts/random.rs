//! `Random`: random numbers, the same ones for the same seed.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// Steele, Lea and Flood's SplitMix64: for jitter and samples, not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Numbers that differ each time.
    #[must_use]
    pub fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number less than `bound`, and 0 if that is 0. Lemire's multiplication; its bias is below
    /// `bound` in 2^64.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.number()) * u128::from(bound)) >> 64) as u64
    }

    /// From 0, inclusive, to 1, exclusive.
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A time from none to `bound`.
    pub fn up_to(&mut self, bound: Duration) -> Duration {
        bound.mul_f64(self.unit())
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}
