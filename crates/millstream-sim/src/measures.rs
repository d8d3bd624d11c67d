//! `Measures`: what happened in a while.

use serde::Serialize;

/// What happened in one second, or in several.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measures {
    /// Requests that clients had.
    pub offered: u64,
    /// Times that they tried.
    pub attempts: u64,
    /// Answers that came in time.
    pub good: u64,
    /// Answers that nobody waited for any more.
    pub late: u64,
    /// Attempts that were refused, or dropped from a queue.
    pub refused: u64,
    /// Requests that were given up.
    pub failed: u64,
    /// What the service could have answered.
    pub capacity: f64,
    /// The sum of all limits, on average; 0 without limits.
    pub limit: f64,
    /// Requests in all queues, on average.
    pub queued: f64,
    /// From a request to its answer in time, in microseconds.
    #[serde(skip)]
    latencies: Vec<u32>,
    #[serde(skip)]
    n_readings: u32,
}

/// One second of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Second {
    /// Which one, from 0.
    pub second: usize,
    /// What happened.
    #[serde(flatten)]
    pub measures: Measures,
    /// The median latency, in seconds.
    pub p50: f64,
    /// The latency of the slowest hundredth, in seconds.
    pub p99: f64,
}

impl Measures {
    pub(crate) fn answer(&mut self, latency: std::time::Duration) {
        self.good += 1;
        self.latencies.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn read(&mut self, limit: f64, queued: f64) {
        self.n_readings += 1;
        let share = 1.0 / f64::from(self.n_readings);
        self.limit += (limit - self.limit) * share;
        self.queued += (queued - self.queued) * share;
    }

    pub(crate) fn of(all: &[Self]) -> Self {
        let mut sum = Self::default();
        for part in all {
            sum.add(part);
            sum.capacity += part.capacity;
            sum.read(part.limit, part.queued);
        }
        sum
    }

    /// What happened to some clients' requests, as well.
    pub(crate) fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.attempts += other.attempts;
        self.good += other.good;
        self.late += other.late;
        self.refused += other.refused;
        self.failed += other.failed;
        self.latencies.extend(&other.latencies);
    }

    /// Of a time in which all clients had what is read in `all`.
    pub(crate) fn share(&mut self, all: &Self) {
        self.capacity = all.capacity;
        (self.limit, self.queued) = (all.limit, all.queued);
    }

    /// Answers in time, as a share of what was offered, or of the capacity if that is less.
    #[must_use]
    pub fn goodput(&self) -> f64 {
        share(self.good as f64, self.capacity.min(self.offered as f64))
    }

    /// Answers too late, as a share of all answers.
    #[must_use]
    pub fn late_share(&self) -> f64 {
        share(self.late as f64, (self.late + self.good) as f64)
    }

    /// Attempts for each request.
    #[must_use]
    pub fn amplification(&self) -> f64 {
        share(self.attempts as f64, self.offered as f64)
    }

    /// Refusals, as a share of attempts.
    #[must_use]
    pub fn refused_share(&self) -> f64 {
        share(self.refused as f64, self.attempts as f64)
    }

    /// Requests that were given up, as a share of all.
    #[must_use]
    pub fn failed_share(&self) -> f64 {
        share(self.failed as f64, self.offered as f64)
    }

    /// The latency that a share `q` of answers in time does not exceed, in seconds; 0 without
    /// answers.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let mut latencies = self.latencies.clone();
        let n = latencies.len();
        if n == 0 {
            return 0.0;
        }
        let rank = ((n as f64 * q).ceil() as usize).clamp(1, n) - 1;
        let (_, latency, _) = latencies.select_nth_unstable(rank);
        f64::from(*latency) / 1e6
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
