//! Vegas: an estimate of the other side's queue, from the lowest latency.

use std::time::Duration;

use super::{Rule, Sample, check_bounds, check_share, window::Window};
use crate::{InvalidSetting, Random};

/// How many limits' worth of samples the lowest latency lasts, at most.
const PROBE: f64 = 30.0;

/// TCP Vegas on calls (Netflix's `VegasLimit`).
///
/// Where service times vary, the lowest latency is far below the mean without load, so that it
/// stays below the optimum; and what it probes under overload becomes its baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Vegas {
    /// The limit at first.
    pub initial: u64,
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// How much of a change is made at once: more than 0, and 1 for all of it.
    pub smoothing: f64,
    /// The samples of so long count as one, by their mean; each by itself if 0.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub window: Duration,
}

impl Default for Vegas {
    fn default() -> Self {
        Self { initial: 20, min: 1, max: 1_000, smoothing: 1.0, window: Duration::from_secs(1) }
    }
}

impl Vegas {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_bounds(self.initial, self.min, self.max)?;
        if self.smoothing == 1.0 { Ok(()) } else { check_share("smoothing", self.smoothing) }
    }
}

#[derive(Clone, Debug)]
pub(super) struct State {
    config: Vegas,
    limit: f64,
    /// The lowest latency; 0 before the first.
    lowest: f64,
    n_samples: f64,
    jitter: f64,
    window: Window,
    random: Random,
}

impl State {
    pub(super) fn new(config: Vegas) -> Self {
        let mut random = Random::seeded(1);
        Self {
            config,
            limit: config.initial as f64,
            lowest: 0.0,
            n_samples: 0.0,
            jitter: jitter(&mut random),
            window: Window::new(config.window),
            random,
        }
    }

    /// What the limit should be.
    fn wanted(&self, latency: f64, in_flight: u64, is_lossy: bool) -> f64 {
        let step = self.limit.log10().floor().max(1.0);
        let queue = (self.limit * (1.0 - self.lowest / latency)).ceil();
        if is_lossy {
            self.limit - step
        } else if 2.0 * (in_flight as f64) < self.limit {
            self.limit
        } else if queue <= step {
            self.limit + 6.0 * step
        } else if queue < 3.0 * step {
            self.limit + step
        } else if queue > 6.0 * step {
            self.limit - step
        } else {
            self.limit
        }
    }
}

impl Rule for State {
    fn limit(&self) -> f64 {
        self.limit
    }

    fn record(&mut self, sample: &Sample) {
        let Some(seen) = self.window.add(sample) else { return };
        self.n_samples += 1.0;
        if self.jitter * PROBE * self.limit <= self.n_samples {
            self.jitter = jitter(&mut self.random);
            self.n_samples = 0.0;
            self.lowest = seen.latency;
            return;
        }
        // A refusal at once is no latency of the service.
        if !seen.is_lossy && (self.lowest == 0.0 || seen.latency < self.lowest) {
            self.lowest = seen.latency;
            return;
        }
        let Vegas { min, max, smoothing, .. } = self.config;
        let wanted = self.wanted(seen.latency, seen.in_flight, seen.is_lossy);
        let limit = (1.0 - smoothing) * self.limit + smoothing * wanted;
        self.limit = limit.max(min as f64).min(max as f64);
    }

    fn readings(&self) -> Vec<(&'static str, f64)> {
        vec![("lowest_latency", self.lowest)]
    }
}

fn jitter(random: &mut Random) -> f64 {
    0.5 + random.unit() / 2.0
}
