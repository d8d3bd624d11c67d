//! Little: the mean latency by Little's law, beside that without load.

use std::time::Duration;

use super::{POLICY, Rule, Sample, check_bounds};
use crate::InvalidSetting;

/// A round has at least as many calls,
const LEAST: f64 = 50.0;
/// and ends after as many, however much they differ.
const MOST: f64 = 2_000.0;
/// A round ends when its mean is known as well as this, as a share of it.
const PRECISION: f64 = 0.04;
/// Beyond so many times the latency without load, half the precision will do.
const PLAIN: f64 = 1.5;
/// A round lasts as many mean latencies, so that long calls are in it as they should be.
const LENGTHS: f64 = 4.0;
/// The calls use the limit if so much of it was in use at some time.
const USED: f64 = 0.75;
/// Beyond so many times the latency without load, a queue has formed; standard errors come on top.
const HIGH: f64 = 1.2;
/// What is aimed at.
const AIM: f64 = 1.15;
/// What is left of a limit that goes down by so much that the next round tells a queue from calls
/// that take longer by themselves.
const CUT: f64 = 0.75;
/// What is left for a probe of the limit without a queue.
const PROBE: f64 = 0.8;
/// A doubt is no reason for a probe so many rounds after the last one.
const ROUNDS_BETWEEN: u32 = 8;

/// A limit without a known latency.
///
/// A call's mean latency is the integral of those in progress over the calls that ended (Little's
/// law), which has no bias by length. It is compared, in units of its own standard error, with the
/// latency without load; and that is measured again, at a lower limit, whenever the two have
/// differed for a while or nothing has confirmed it for `probe_every`; where the limit goes down by
/// much and the latency does not, there was no queue, and it is the latency without load. A limit
/// that is not used is not changed by latency, and teaches what the latency without load is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Little {
    /// The limit at first.
    pub initial: u64,
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// How often the latency without load is measured, if there is no other reason.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub probe_every: Duration,
    /// The share of calls that may fail in a round; if more do, the limit goes down by a tenth.
    pub failures: f64,
}

impl Default for Little {
    fn default() -> Self {
        Self {
            initial: 10,
            min: 1,
            max: 1_000,
            probe_every: Duration::from_secs(15),
            failures: 0.05,
        }
    }
}

impl Little {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_bounds(self.initial, self.min, self.max)?;
        InvalidSetting::unless_some_time(POLICY, "probe_every", self.probe_every)?;
        InvalidSetting::unless_within(POLICY, "failures", self.failures, 0.0..=1.0, "from 0 to 1")
    }
}

#[derive(Clone, Debug)]
pub(super) struct State {
    config: Little,
    limit: f64,
    /// The latency without load; 0 before the first round.
    unloaded: f64,
    phase: Phase,
    round: Round,
    /// Rounds in a row with a queue.
    n_high: u32,
    /// How the limit went down after the last round, if it did by much.
    cut: Option<Cut>,
    /// The most calls a second that ended in a round since the first cut.
    peak: f64,
    /// Cuts in a row after which the latency did not go down with the limit.
    n_longer: u32,
    n_since_probe: u32,
    last_probe: Duration,
    /// What the last round said.
    latency: f64,
}

/// A round after which the limit went down by much: what was left of it, and the latency before.
#[derive(Clone, Copy, Debug)]
struct Cut {
    left: f64,
    latency: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Doubling, about, until the latency grows.
    Start,
    Steady,
    /// Calls of the limit before are still on their way.
    Settling {
        until: Duration,
        saved: f64,
        before: f64,
    },
    /// A round at a lower limit; `saved` was the limit and `before` the latency.
    Probing {
        saved: f64,
        before: f64,
    },
}

/// What happened since the last decision.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    started: Option<Duration>,
    last: Duration,
    /// After the last call that ended.
    in_progress: f64,
    /// The integral of those in progress.
    area: f64,
    n: f64,
    n_lost: f64,
    sum: f64,
    squares: f64,
    most: f64,
}

impl Round {
    fn after(last: Duration, in_progress: f64) -> Self {
        Self { started: Some(last), last, in_progress, ..Self::default() }
    }

    /// While the limit is reached, a place that comes free is taken at once.
    fn add(&mut self, sample: &Sample, is_full: bool) {
        let in_flight = sample.in_flight as f64;
        let latency = sample.latency.as_secs_f64();
        if self.started.is_none() {
            // What was in progress before the first sample is not known.
            *self = Self::after(sample.now, in_flight - 1.0);
            return;
        }
        let passed = sample.now.saturating_sub(self.last).as_secs_f64();
        // Otherwise calls began somewhere in between, so that the mean of both ends is right.
        let before = if is_full { in_flight } else { self.in_progress };
        self.area += passed * (before + in_flight) / 2.0;
        self.last = self.last.max(sample.now);
        self.in_progress = in_flight - 1.0;
        self.n += 1.0;
        self.n_lost += f64::from(u8::from(sample.is_lost()));
        self.sum += latency;
        self.squares += latency * latency;
        self.most = self.most.max(in_flight);
    }

    fn elapsed(&self) -> f64 {
        self.started.map_or(0.0, |started| self.last.saturating_sub(started).as_secs_f64())
    }

    /// The standard error of the mean, as a share of it.
    fn error(&self) -> f64 {
        let mean = self.sum / self.n;
        let variance = (self.squares / self.n - mean * mean).max(0.0);
        if mean > 0.0 { (variance / self.n).sqrt() / mean } else { 0.0 }
    }

    /// Whether it says something. That calls take far longer than without load is plain sooner.
    fn is_over(&self, unloaded: f64) -> bool {
        let (mean, error) = (self.sum / self.n, self.error());
        let is_plain = error <= 2.0 * PRECISION && mean * (1.0 - 3.0 * error) > PLAIN * unloaded;
        self.n >= LEAST
            && self.elapsed() >= LENGTHS * mean
            && (self.n >= MOST || error <= PRECISION || is_plain)
    }
}

impl State {
    pub(super) fn new(config: Little) -> Self {
        Self {
            config,
            limit: config.initial as f64,
            unloaded: 0.0,
            phase: Phase::Start,
            round: Round::default(),
            n_high: 0,
            cut: None,
            peak: 0.0,
            n_longer: 0,
            n_since_probe: 0,
            last_probe: Duration::ZERO,
            latency: 0.0,
        }
    }

    fn decide(&mut self, round: &Round) {
        let latency = round.area / round.n;
        let error = round.error();
        self.latency = latency;
        if self.unloaded == 0.0 {
            self.unloaded = latency;
            self.last_probe = round.last;
        }
        let is_failing = round.n_lost > self.config.failures * round.n;
        match self.phase {
            Phase::Probing { saved, before } => {
                self.unloaded = latency;
                self.limit = saved * (HIGH * latency / before).clamp(0.4, HIGH);
                self.phase = Phase::Steady;
                (self.n_high, self.n_since_probe, self.last_probe) = (0, 0, round.last);
            }
            _ if is_failing => {
                self.limit *= 0.9;
                self.phase = Phase::Steady;
            }
            _ if round.most < USED * self.limit.floor() => {
                let average = round.area / round.elapsed();
                self.unloaded += 0.3 * (latency - self.unloaded);
                self.limit = self.limit.max(2.0 * average + 4.0);
                self.last_probe = round.last;
                self.n_high = 0;
            }
            _ if round.most < self.limit.floor() => {}
            Phase::Start if latency <= 1.4 * self.unloaded => self.limit *= 1.6,
            _ => self.adjust(latency, error, round),
        }
    }

    /// The limit was reached.
    fn adjust(&mut self, latency: f64, error: f64, round: &Round) {
        let (now, throughput) = (round.last, round.n / round.elapsed());
        self.phase = Phase::Steady;
        self.n_since_probe += 1;
        if latency < self.unloaded * (1.0 - 3.0 * error - 0.02) {
            self.unloaded = f64::midpoint(latency, self.unloaded);
        }
        if self.cut.is_none() {
            self.peak = 0.0;
        }
        if let Some(cut) = self.cut.take() {
            // A queue would have become shorter by as much as the limit. A change in the middle of
            // a round looks the same once, so that it takes two rounds.
            let is_queue = latency <= cut.latency * cut.left.sqrt() || latency <= self.unloaded;
            self.n_longer = if is_queue { 0 } else { self.n_longer + 1 };
            self.n_high = 0;
            if self.n_longer == 2 {
                // There is none: calls take longer by themselves.
                (self.unloaded, self.n_longer) = (latency, 0);
                self.limit = HIGH * (self.peak * latency).max(self.limit);
                return;
            }
        }
        let high = (HIGH + 2.0 * error) * self.unloaded;
        self.n_high = if latency > high { self.n_high + 1 } else { 0 };
        let in_doubt = self.n_high >= 2 && self.n_since_probe > ROUNDS_BETWEEN;
        if in_doubt || now.saturating_sub(self.last_probe) >= self.config.probe_every {
            self.probe(latency, now);
        } else if latency <= AIM * self.unloaded {
            self.limit += (0.1 * self.limit).max(1.0);
        } else if latency > high {
            let left = (AIM * self.unloaded / latency).clamp(0.6, 0.97);
            self.limit *= left;
            self.cut = (left <= CUT).then_some(Cut { left, latency });
            self.peak = self.peak.max(throughput);
        }
    }

    fn probe(&mut self, latency: f64, now: Duration) {
        let saved = self.limit;
        self.limit *= PROBE * (self.unloaded / latency).clamp(0.3, 1.0);
        let until = now.saturating_add(seconds(2.0 * latency));
        self.phase = Phase::Settling { until, saved, before: latency };
    }
}

/// As long as there is, and for ever beyond that.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

impl Rule for State {
    fn limit(&self) -> f64 {
        self.limit
    }

    fn record(&mut self, sample: &Sample) {
        let is_full = sample.in_flight as f64 >= self.limit.floor();
        self.round.add(sample, is_full);
        match self.phase {
            Phase::Settling { until, saved, before } if sample.now >= until => {
                self.phase = Phase::Probing { saved, before };
                self.round = Round::after(sample.now, self.round.in_progress);
            }
            Phase::Settling { .. } => {}
            _ if self.round.is_over(self.unloaded) => {
                let round = self.round;
                self.decide(&round);
                let Little { min, max, .. } = self.config;
                self.limit = self.limit.max(min as f64).min(max as f64);
                self.round = Round::after(round.last, round.in_progress);
            }
            _ => {}
        }
    }

    fn readings(&self) -> Vec<(&'static str, f64)> {
        let is_probing = matches!(self.phase, Phase::Settling { .. } | Phase::Probing { .. });
        vec![
            ("latency", self.latency),
            ("unloaded_latency", self.unloaded),
            ("is_probing", f64::from(u8::from(is_probing))),
        ]
    }
}
