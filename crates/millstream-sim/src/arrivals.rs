//! `Phase`: when requests arrive.

use std::time::Duration;

use millstream_pressure::Random;
use serde::{Deserialize, Serialize};

use crate::law::exponential;

/// A part of the arrivals of some clients, after the phase before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Phase {
    /// How long it lasts.
    #[serde(
        rename = "for",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    pub lasts: Duration,
    /// Requests a second on average (a Poisson process).
    pub rate: f64,
    /// The rate at its end, if it changes; evenly.
    pub to: Option<f64>,
    /// As many come at once each time, so that times are rarer by that factor.
    pub burst: Option<u32>,
    /// Recorded moments, in seconds from its beginning, in place of a rate.
    pub trace: Vec<f64>,
}

impl Phase {
    fn rate_at(&self, passed: f64) -> f64 {
        let share = passed / self.lasts.as_secs_f64();
        self.to.map_or(self.rate, |to| self.rate + (to - self.rate) * share)
    }

    pub(crate) fn is_valid(&self) -> bool {
        let is_rate = |rate: f64| (0.0..=1e7).contains(&rate);
        let is_ordered = self.trace.is_sorted()
            && self.trace.iter().all(|at| (0.0..=self.lasts.as_secs_f64()).contains(at));
        !self.lasts.is_zero()
            && is_rate(self.rate)
            && self.to.is_none_or(is_rate)
            && self.burst != Some(0)
            && is_ordered
    }
}

/// The moments of all phases, one after the other.
#[derive(Debug)]
pub(crate) struct Arrivals {
    phases: std::vec::IntoIter<Phase>,
    phase: Option<Phase>,
    started: f64,
    now: f64,
    n_traced: usize,
    random: Random,
}

impl Arrivals {
    pub(crate) fn new(phases: Vec<Phase>, random: Random) -> Self {
        let mut phases = phases.into_iter();
        let phase = phases.next();
        Self { phases, phase, started: 0.0, now: 0.0, n_traced: 0, random }
    }
}

impl Iterator for Arrivals {
    /// When, and how many.
    type Item = (Duration, u32);

    fn next(&mut self) -> Option<(Duration, u32)> {
        loop {
            let phase = self.phase.as_ref()?;
            let lasts = phase.lasts.as_secs_f64();
            let n = phase.burst.unwrap_or(1);
            if !phase.trace.is_empty() {
                if let Some(at) = phase.trace.get(self.n_traced) {
                    self.n_traced += 1;
                    return Some((Duration::from_secs_f64(self.started + at), n));
                }
            } else {
                // A rate that changes, by thinning of the highest one (Lewis and Shedler).
                let highest = phase.rate.max(phase.to.unwrap_or(0.0)) / f64::from(n);
                while highest > 0.0 && self.now < self.started + lasts {
                    self.now += exponential(&mut self.random) / highest;
                    let passed = self.now - self.started;
                    let share = phase.rate_at(passed) / (highest * f64::from(n));
                    let is_taken = share >= 1.0 || self.random.unit() < share;
                    if passed < lasts && is_taken {
                        return Some((Duration::from_secs_f64(self.now), n));
                    }
                }
            }
            self.started += lasts;
            self.now = self.started;
            self.n_traced = 0;
            self.phase = self.phases.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(seconds: u64, rate: f64) -> Phase {
        Phase { lasts: Duration::from_secs(seconds), rate, ..Phase::default() }
    }

    #[test]
    fn phases_follow_each_other() {
        let ramp = Phase { to: Some(100.0), ..phase(100, 0.0) };
        let bursts = Phase { burst: Some(10), ..phase(100, 100.0) };
        let trace = Phase { trace: vec![0.5, 1.5], ..phase(2, 0.0) };
        let phases = vec![phase(100, 50.0), phase(10, 0.0), ramp, bursts, trace];
        let all: Vec<(Duration, u32)> = Arrivals::new(phases, Random::seeded(1)).collect();
        let between = |from: u64, until: u64| {
            let range = Duration::from_secs(from)..Duration::from_secs(until);
            all.iter().filter(|(at, _)| range.contains(at)).map(|(_, n)| n).sum::<u32>()
        };
        assert!(all.is_sorted_by_key(|(at, _)| *at));
        assert!((4_700..5_300).contains(&between(0, 100)));
        assert_eq!(between(100, 110), 0);
        let (first, second) = (between(110, 160), between(160, 210));
        assert!((1_100..1_400).contains(&first) && (3_500..4_000).contains(&second));
        assert!((9_000..11_000).contains(&between(210, 310)));
        assert_eq!(
            all[all.len() - 2..],
            [(Duration::from_millis(310_500), 1), (Duration::from_millis(311_500), 1)]
        );
    }
}
