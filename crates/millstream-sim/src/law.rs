//! `Law`: how long the service takes.

use std::{f64::consts::TAU, time::Duration};

use millstream_pressure::Random;
use serde::{Deserialize, Serialize};

/// The distribution of service times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Law {
    /// Always the same.
    Constant(
        #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
        Duration,
    ),
    /// Memoryless, with this mean.
    Exponential(
        #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
        Duration,
    ),
    /// A logarithm that is normal: most are short, and a few very long.
    Lognormal {
        /// The mean.
        #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
        mean: Duration,
        /// The logarithm's deviation.
        sigma: f64,
    },
    /// Either fast or slow, such as what is in a cache or not.
    Bimodal {
        /// What most take.
        #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
        fast: Duration,
        /// What the others take.
        #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
        slow: Duration,
        /// The share of slow ones.
        share: f64,
    },
}

impl Law {
    /// The mean.
    #[must_use]
    pub fn mean(&self) -> Duration {
        match *self {
            Self::Constant(mean) | Self::Exponential(mean) | Self::Lognormal { mean, .. } => mean,
            Self::Bimodal { fast, slow, share } => fast.mul_f64(1.0 - share) + slow.mul_f64(share),
        }
    }

    pub(crate) fn draw(&self, random: &mut Random) -> Duration {
        match *self {
            Self::Constant(time) => time,
            Self::Exponential(mean) => mean.mul_f64(exponential(random)),
            Self::Lognormal { mean, sigma } => {
                let z = (-2.0 * positive(random).ln()).sqrt() * (TAU * random.unit()).cos();
                mean.mul_f64((sigma * z - sigma * sigma / 2.0).exp())
            }
            Self::Bimodal { fast, slow, share } => {
                if random.unit() < share {
                    slow
                } else {
                    fast
                }
            }
        }
    }

    pub(crate) fn is_valid(&self) -> bool {
        let (low, high) = (Duration::from_micros(1), Duration::from_secs(3_600));
        let is_time = |time: &Duration| (low..=high).contains(time);
        match self {
            Self::Constant(mean) | Self::Exponential(mean) => is_time(mean),
            Self::Lognormal { mean, sigma } => is_time(mean) && (0.0..=4.0).contains(sigma),
            Self::Bimodal { fast, slow, share } => {
                is_time(fast) && is_time(slow) && (0.0..=1.0).contains(share)
            }
        }
    }
}

/// A number of the exponential distribution with mean 1.
pub(crate) fn exponential(random: &mut Random) -> f64 {
    -positive(random).ln()
}

/// More than 0, and at most 1.
fn positive(random: &mut Random) -> f64 {
    1.0 - random.unit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_law_has_its_mean() {
        let ms = Duration::from_millis;
        let laws = [
            Law::Constant(ms(10)),
            Law::Exponential(ms(10)),
            Law::Lognormal { mean: ms(10), sigma: 1.0 },
            Law::Bimodal { fast: ms(1), slow: ms(91), share: 0.1 },
        ];
        for law in laws {
            let mut random = Random::seeded(1);
            let sum: Duration = (0..200_000).map(|_| law.draw(&mut random)).sum();
            let mean = sum / 200_000;
            assert!(mean.abs_diff(law.mean()) < law.mean() / 50, "{law:?}: {mean:?}");
        }
    }
}
