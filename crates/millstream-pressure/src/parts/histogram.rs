//! `Histogram`: how long things took, counted by length.

use std::time::Duration;

/// The longest time of each bucket but the last, in microseconds.
const BOUNDS: [u64; 18] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000,
];

/// How many times were how long, from 100 µs to 50 s in steps of 1, 2 and 5, and beyond.
///
/// Takes no memory but its own, however many times are added.
///
/// ```
/// use std::time::Duration;
/// use millstream_pressure::Histogram;
///
/// let mut times = Histogram::new();
/// (1..=100).for_each(|ms| times.add(Duration::from_millis(ms)));
/// assert_eq!(times.n(), 100);
/// assert_eq!(times.sum(), Duration::from_millis(5_050));
/// assert_eq!(times.quantile(0.5), Some(Duration::from_millis(50)));
/// assert_eq!(times.quantile(0.99), Some(Duration::from_millis(100)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// Nothing was counted.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [0; BOUNDS.len() + 1], sum: Duration::ZERO }
    }

    /// One more took this long.
    pub fn add(&mut self, time: Duration) {
        let bucket = BOUNDS.partition_point(|&bound| time > Duration::from_micros(bound));
        self.counts[bucket] += 1;
        self.sum = self.sum.saturating_add(time);
    }

    /// How many there were.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all of them took together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// For each bucket the longest time that belongs there, and how many did; the last has no
    /// bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = BOUNDS.into_iter().map(|bound| Some(Duration::from_micros(bound)));
        bounds.chain([None]).zip(self.counts)
    }

    /// A time that a share `q` of them, from 0 to 1, did not exceed: the bound of a bucket, and the
    /// last bound where it was longer. `None` while there were none.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let rank = (self.n() as f64 * q).ceil().max(1.0) as u64;
        let mut n_before = 0;
        let bucket = self.counts.iter().position(|&n| {
            n_before += n;
            n_before >= rank
        })?;
        Some(Duration::from_micros(BOUNDS[bucket.min(BOUNDS.len() - 1)]))
    }
}
