//! Shared: `Backoff`, delays that grow from one retry to the next.

use std::time::Duration;

/// How long to wait before each retry: exponentially longer, up to a cap, with jitter.
///
/// The wait before retry number `n`, counting from 0, lies below `first * factor^n` or `cap`,
/// whichever is shorter, by a random share of up to `jitter` of it: flows that failed together do
/// not come back together, and no wait is longer than the cap.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use millstream::Backoff;
///
/// const GENTLE: Backoff = Backoff::new().first(Duration::from_secs(1)).max_retries(4);
///
/// let waits: Vec<u64> = GENTLE.jitter(0.0).delays().map(|delay| delay.as_secs()).collect();
/// assert_eq!(waits, [1, 2, 4, 8]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Backoff {
    first: Duration,
    factor: f64,
    cap: Duration,
    jitter: f64,
    max_retries: u64,
    budget: Duration,
    starts_over: bool,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff {
    /// 100 milliseconds, doubled up to 30 seconds, with a jitter of half, for ever.
    pub const fn new() -> Self {
        Self {
            first: Duration::from_millis(100),
            factor: 2.0,
            cap: Duration::from_secs(30),
            jitter: 0.5,
            max_retries: u64::MAX,
            budget: Duration::MAX,
            starts_over: false,
        }
    }

    /// The wait before the first retry. Default: 100 milliseconds.
    pub const fn first(mut self, delay: Duration) -> Self {
        self.first = delay;
        self
    }

    /// How many times longer each wait is than the one before. Default: 2.
    ///
    /// # Panics
    ///
    /// Unless it is a number from 1 upwards.
    #[track_caller]
    pub const fn factor(mut self, factor: f64) -> Self {
        assert!(factor >= 1.0 && factor.is_finite(), "waits grow by a factor of 1 or more");
        self.factor = factor;
        self
    }

    /// The longest wait. Default: 30 seconds.
    pub const fn cap(mut self, delay: Duration) -> Self {
        self.cap = delay;
        self
    }

    /// The share of a wait that is left to chance; 0 is none, 1 is all. Default: 0.5.
    ///
    /// # Panics
    ///
    /// Unless it lies in 0 to 1.
    #[track_caller]
    pub const fn jitter(mut self, share: f64) -> Self {
        assert!(share >= 0.0 && share <= 1.0, "jitter is a share of a wait, from 0 to 1");
        self.jitter = share;
        self
    }

    /// The most retries. Default: no bound.
    pub const fn max_retries(mut self, n: u64) -> Self {
        self.max_retries = n;
        self
    }

    /// The longest time to spend on waits in all: a retry that would exceed it is not made.
    /// Default: no bound.
    pub const fn budget(mut self, time: Duration) -> Self {
        self.budget = time;
        self
    }

    /// Whether the waits start over after an attempt that had items, so that one that worked for
    /// days is retried as if it were the first. Default: no.
    #[doc(alias = "transient_errors")]
    pub const fn start_over_after_items(mut self, starts_over: bool) -> Self {
        self.starts_over = starts_over;
        self
    }

    pub(crate) const fn starts_over(&self) -> bool {
        self.starts_over
    }

    /// The waits, one after the other.
    #[must_use]
    pub fn delays(self) -> Delays {
        Delays { backoff: self, n_retries: 0, spent: Duration::ZERO, random: fastrand::Rng::new() }
    }
}

/// The waits of a [`Backoff`].
#[derive(Clone, Debug)]
pub struct Delays {
    backoff: Backoff,
    n_retries: u64,
    spent: Duration,
    random: fastrand::Rng,
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let Backoff { first, factor, cap, jitter, max_retries, budget, .. } = self.backoff;
        if self.n_retries == max_retries {
            return None;
        }
        // Beyond that, any factor has reached the cap, or is 1.
        // Not infinite, so that no time stays no time.
        let power = i32::try_from(self.n_retries).unwrap_or(i32::MAX);
        let growth = factor.powi(power).min(f64::MAX);
        let longest = (first.as_secs_f64() * growth).min(cap.as_secs_f64());
        let seconds = longest * (1.0 - jitter * self.random.f64());
        let delay = Duration::try_from_secs_f64(seconds).unwrap_or(cap).min(cap);
        let spent = self.spent.saturating_add(delay);
        if spent > budget {
            return None;
        }
        self.spent = spent;
        self.n_retries += 1;
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    //! Waits without a clock.

    use std::time::Duration;

    use proptest::prelude::*;

    use super::Backoff;

    proptest! {
        #[test]
        fn a_wait_lies_between_its_jitter_and_its_cap(
            first in 0_u64..10_000,
            factor in 1.0..10_f64,
            cap in 0_u64..100_000,
            jitter in 0.0..=1_f64,
        ) {
            let cap = Duration::from_millis(cap);
            let backoff =
                Backoff::new().first(Duration::from_millis(first)).factor(factor).cap(cap);
            let longest = backoff.jitter(0.0).delays().take(2_000);
            let waits = backoff.jitter(jitter).delays().take(2_000);

            for (wait, longest) in waits.zip(longest) {
                prop_assert!(wait <= longest && longest <= cap);
                prop_assert!(wait.as_secs_f64() >= longest.as_secs_f64() * (1.0 - jitter) - 1e-6);
            }
        }
    }

    #[test]
    fn waits_end_with_their_number_or_their_budget() {
        let backoff = Backoff::new().first(Duration::from_secs(1)).jitter(0.0);

        assert_eq!(backoff.max_retries(0).delays().count(), 0);
        assert_eq!(backoff.max_retries(3).delays().count(), 3);
        // 1, 2 and 4; another 8 would be too many.
        assert_eq!(backoff.budget(Duration::from_secs(14)).delays().count(), 3);
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        let backoff = Backoff::new().first(Duration::MAX).cap(Duration::MAX).factor(f64::MAX);
        let nothing = backoff.first(Duration::ZERO);

        assert!(backoff.jitter(0.0).delays().take(3).all(|delay| delay == Duration::MAX));
        assert!(nothing.delays().take(3).all(|delay| delay.is_zero()));
    }

    #[test]
    #[should_panic(expected = "jitter is a share of a wait, from 0 to 1")]
    fn a_jitter_that_is_no_share_is_refused() {
        let _backoff = Backoff::new().jitter(f64::NAN);
    }
}
