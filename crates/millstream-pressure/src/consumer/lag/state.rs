//! What was reported of each part, and what follows from it.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{LagConfig, LagReading, LagSnapshot};

/// As many moments of a window are kept.
const SAMPLES: u32 = 64;

/// What was counted up to a moment, in all parts.
#[derive(Clone, Copy)]
struct Sample {
    at: Duration,
    produced: u64,
    consumed: u64,
}

pub(super) struct State {
    pub(super) config: LagConfig,
    parts: BTreeMap<Box<str>, LagReading>,
    /// The oldest first; the last is the present one.
    samples: VecDeque<Sample>,
    is_busy: bool,
}

impl State {
    pub(super) fn new(config: LagConfig) -> Self {
        Self { config, parts: BTreeMap::new(), samples: VecDeque::new(), is_busy: false }
    }

    pub(super) fn report(&mut self, part: &str, reading: LagReading, now: Duration) {
        let is_continued = match self.parts.get_mut(part) {
            Some(before) => {
                let is_continued =
                    reading.produced >= before.produced && reading.consumed >= before.consumed;
                *before = reading;
                is_continued
            }
            None => {
                self.parts.insert(part.into(), reading);
                false
            }
        };
        self.sample(is_continued, now);
    }

    pub(super) fn remove(&mut self, part: &str, now: Duration) {
        if self.parts.remove(part).is_some() {
            self.sample(false, now);
        }
    }

    /// Takes a sample. Where parts have come, gone or begun anew, counts cannot be compared with
    /// those before.
    fn sample(&mut self, is_continued: bool, now: Duration) {
        if !is_continued {
            self.samples.clear();
        }
        let sum =
            |of: fn(&LagReading) -> u64| self.parts.values().map(of).fold(0, u64::saturating_add);
        // A part that was consumed further than it is known to be produced has no lag.
        let consumed = sum(|part| part.consumed.min(part.produced));
        let present = Sample { at: now, produced: sum(|part| part.produced), consumed };
        // The last is replaced, unless it is old enough to be one of the window's.
        let n = self.samples.len();
        // Parts that are reported one after the other at a moment are one sample.
        let is_dense = n >= 2 && {
            let (before, last) = (self.samples[n - 2].at, self.samples[n - 1].at);
            last == now || now.saturating_sub(before) < self.config.window / SAMPLES
        };
        if is_dense {
            self.samples.pop_back();
        }
        self.samples.push_back(present);
        // One at the window's beginning or before stays, so that all of it is covered.
        let start = now.saturating_sub(self.config.window);
        while self.samples.len() > 2 && self.samples[1].at <= start {
            self.samples.pop_front();
        }
        let pressure = self.snapshot(now).pressure;
        let LagConfig { busy_above, busy_below, .. } = self.config;
        self.is_busy = pressure >= busy_above || (self.is_busy && pressure > busy_below);
    }

    /// When the last report came, if that is not too long ago.
    pub(super) fn reported_at(&self, now: Duration) -> Option<Duration> {
        let at = self.samples.back()?.at;
        (now.saturating_sub(at) <= self.config.stale_after).then_some(at)
    }

    pub(super) fn is_busy(&self, now: Duration) -> bool {
        self.is_busy && self.reported_at(now).is_some()
    }

    pub(super) fn snapshot(&self, now: Duration) -> LagSnapshot {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return LagSnapshot { is_stale: true, ..LagSnapshot::default() };
        };
        let lag = last.produced - last.consumed;
        let over = last.at.saturating_sub(first.at);
        let rate = |from: u64, to: u64| {
            let seconds = over.as_secs_f64();
            if seconds > 0.0 { to.saturating_sub(from) as f64 / seconds } else { 0.0 }
        };
        let arrival = rate(first.produced, last.produced);
        let drain = rate(first.consumed, last.consumed);
        let trend = arrival - drain;
        let time_to_drain = match lag {
            0 => Some(Duration::ZERO),
            // None if it takes longer than can be said.
            _ if trend < 0.0 => Duration::try_from_secs_f64(lag as f64 / -trend).ok(),
            _ => None,
        };
        // An item grows older while nothing is reported.
        let waited = now.saturating_sub(last.at);
        let oldest = self.parts.values().filter_map(|part| part.oldest).max();
        let oldest = oldest.filter(|_| lag > 0).map(|oldest| oldest.saturating_add(waited));
        let worst = self.parts.iter().max_by_key(|(_, part)| part.lag());
        let LagConfig { max_lag, max_age, horizon, .. } = self.config;
        let predicted = lag as f64 + trend.max(0.0) * horizon.as_secs_f64();
        let by_age = oldest.map_or(0.0, |age| age.as_secs_f64() / max_age.as_secs_f64());
        let pressure = (predicted / max_lag as f64).max(by_age).clamp(0.0, 1.0);
        LagSnapshot {
            consumed: last.consumed,
            lag,
            oldest,
            arrival,
            drain,
            over,
            time_to_drain,
            worst: worst.map(|(name, part)| (name.to_string(), part.lag())),
            parts: self.parts.len(),
            pressure,
            is_busy: self.is_busy(now),
            is_stale: self.reported_at(now).is_none(),
        }
    }
}
