//! The breaker's transitions, each of which is made under its lock.
//!
//! The kernel's word says which state it is, so that one who asks while it is closed or open
//! needs no lock. Results are looked at under the lock, and only those of the word's own
//! generation: since whoever leaves a state has the lock, it stays the same while a result is
//! looked at.

use std::time::Duration;

use millstream_kernel::{Admission, BreakerState, BreakerWord};

use super::{
    BreakerConfig, BreakerMode,
    window::{Totals, Window},
};
use crate::{Outcome, parts::Look};

pub(super) struct State {
    pub(super) config: BreakerConfig,
    pub(super) mode: BreakerMode,
    /// While it is closed.
    window: Window,
    /// While it is half-open.
    round: Round,
    /// How often probes have failed since it was closed.
    n_failed: u32,
    pub(super) n_opened: u64,
    pub(super) stale: u64,
}

/// What probes of one generation have said.
#[derive(Default)]
struct Round {
    probes: u64,
    /// It is over at this moment, decided or not.
    until: Duration,
    totals: Totals,
}

impl State {
    pub(super) fn new(config: BreakerConfig, now: Duration) -> Self {
        Self {
            window: Window::new(config.window, now),
            config,
            mode: BreakerMode::Automatic,
            round: Round::default(),
            n_failed: 0,
            n_opened: 0,
            stale: 0,
        }
    }

    /// Lets a probe pass, if it is time for one and there is one left.
    pub(super) fn probe(
        &mut self,
        word: &BreakerWord,
        now: Duration,
    ) -> (Look<u64>, Option<BreakerState>) {
        let mut change = None;
        if let (BreakerState::HalfOpen { .. }, generation) = word.state()
            && now >= self.round.until
        {
            change = self.open(word, generation, now);
        }
        let is_running = matches!(word.state().0, BreakerState::HalfOpen { .. });
        let n = if is_running { self.round.probes } else { u64::from(self.config.probes) };
        let look = match word.admit(n, now) {
            Admission::Closed(generation) => Look::Ready(generation),
            Admission::Open(until) => Look::NotBefore(until),
            Admission::NoProbeLeft => Look::NotBefore(self.round.until),
            Admission::Probe(generation) => {
                if !is_running {
                    self.round = Round {
                        probes: n,
                        until: now.saturating_add(self.config.probe_timeout),
                        totals: Totals::default(),
                    };
                    change = Some(BreakerState::HalfOpen { issued: 1 });
                }
                Look::Ready(generation)
            }
        };
        (look, change)
    }

    /// A call that says nothing has ended. Returns whether another may be made in its place.
    pub(super) fn give_back(&mut self, word: &BreakerWord, generation: u64) -> bool {
        let (state, current) = word.state();
        if generation != current {
            self.stale += 1;
            return false;
        }
        word.give_back(generation);
        matches!(state, BreakerState::HalfOpen { .. })
    }

    /// A call has ended. Returns the state that this has begun.
    pub(super) fn record(
        &mut self,
        word: &BreakerWord,
        generation: u64,
        outcome: Outcome,
        elapsed: Duration,
        now: Duration,
    ) -> Option<BreakerState> {
        let (state, current) = word.state();
        if generation != current {
            self.stale += 1;
            return None;
        }
        if self.mode == BreakerMode::Disabled {
            return None;
        }
        let is_slow = outcome == Outcome::Slow || elapsed >= self.config.slow_call;
        let result = Totals::of(outcome == Outcome::Failure, is_slow);
        if matches!(state, BreakerState::HalfOpen { .. }) {
            return self.record_probe(word, generation, result, now);
        }
        self.window.record(result, now);
        let totals = self.window.total(now);
        let is_enough = totals.calls >= self.config.enough() as u64;
        if self.mode == BreakerMode::Automatic && is_enough && self.is_bad(totals, totals.calls) {
            return self.open(word, generation, now);
        }
        None
    }

    /// Decides as soon as it is certain that too many fail, and else when all have come back.
    fn record_probe(
        &mut self,
        word: &BreakerWord,
        generation: u64,
        result: Totals,
        now: Duration,
    ) -> Option<BreakerState> {
        self.round.totals.add(result);
        let Round { totals, probes, .. } = self.round;
        if self.is_bad(totals, probes) {
            return self.open(word, generation, now);
        }
        if totals.calls < probes || !word.close(generation) {
            return None;
        }
        self.n_failed = 0;
        self.window = Window::new(self.config.window, now);
        Some(BreakerState::Closed)
    }

    /// Whether so many of `calls` are too many.
    fn is_bad(&self, totals: Totals, calls: u64) -> bool {
        let calls = calls as f64;
        totals.failures as f64 >= self.config.failure_rate * calls
            || totals.slow as f64 >= self.config.slow_rate * calls
    }

    fn open(&mut self, word: &BreakerWord, generation: u64, now: Duration) -> Option<BreakerState> {
        let until = now.saturating_add(self.config.open_time(self.n_failed));
        // Until a moment, and not for ever: that is for those who force it.
        let until = until.min(Duration::from_nanos(u64::MAX - 1));
        if !word.trip(generation, until) {
            return None;
        }
        self.n_failed = self.n_failed.saturating_add(1);
        self.n_opened += 1;
        Some(BreakerState::Open { until })
    }

    /// Sets a state by hand.
    pub(super) fn force(
        &mut self,
        word: &BreakerWord,
        mode: BreakerMode,
        open_until: Option<Duration>,
        now: Duration,
    ) -> BreakerState {
        self.mode = mode;
        self.n_failed = 0;
        self.n_opened += u64::from(open_until.is_some());
        self.window = Window::new(self.config.window, now);
        let _generation = word.force(open_until);
        word.state().0
    }

    /// What counts now: the window, or the round of probes.
    pub(super) fn totals(&mut self, word: &BreakerWord, now: Duration) -> Totals {
        match word.state() {
            (BreakerState::HalfOpen { .. }, _) => self.round.totals,
            _ => self.window.total(now),
        }
    }

    pub(super) fn reconfigure(&mut self, config: BreakerConfig, now: Duration) {
        if config.window != self.config.window {
            self.window = Window::new(config.window, now);
        }
        self.config = config;
    }
}
