//! What a consumer has in work, how long it takes, and how much more it can do in time.
//!
//! # Invariants
//!
//! 1. `reserved` is what flows have released and neither passed on nor given back, and `in_flight`
//!    the items that are tracked.
//! 2. `sum` is the sum of `times`.

use std::{collections::VecDeque, task::Waker, time::Duration};

use super::{PollBound, PollConfig, PollSize, PollSnapshot};

pub(super) struct State {
    pub(super) config: PollConfig,
    times: VecDeque<Duration>,
    sum: Duration,
    reserved: u64,
    in_flight: u64,
    n_polls: u64,
    n_polled: u64,
    n_at_max: u64,
    n_measured: u64,
    bound: Option<PollBound>,
    /// Flows that wait until items are done.
    waiting: Vec<Waker>,
}

impl State {
    pub(super) fn new(config: PollConfig) -> Self {
        Self {
            config,
            times: VecDeque::new(),
            sum: Duration::ZERO,
            reserved: 0,
            in_flight: 0,
            n_polls: 0,
            n_polled: 0,
            n_at_max: 0,
            n_measured: 0,
            bound: None,
            waiting: Vec::new(),
        }
    }

    fn mean(&self) -> Option<Duration> {
        let n = u32::try_from(self.times.len()).ok().filter(|&n| n > 0)?;
        Some(self.sum / n)
    }

    /// How many items may be here at a time when the first of them has to be done in `left`.
    fn target(&self, left: Duration) -> (u64, PollBound) {
        let PollConfig { workers, ahead, headroom, .. } = self.config;
        let workers = u64::from(workers);
        let Some(mean) = self.mean() else { return (workers, PollBound::Unmeasured) };
        // A mean of 0 is faster than can be measured: as many as the other bounds allow.
        let done_in = |time: Duration| {
            let n = time.as_secs_f64() * headroom * workers as f64 / mean.as_secs_f64();
            if n.is_nan() { u64::MAX } else { n as u64 }
        };
        // One in work and one behind it for each worker, or it would wait for the next poll.
        let ahead = done_in(ahead).max(workers.saturating_mul(2));
        let in_time = done_in(left);
        if in_time < ahead { (in_time, PollBound::TimeLeft) } else { (ahead, PollBound::Workers) }
    }

    pub(super) fn size(&self, demand: u64, left: Duration) -> PollSize {
        let here = self.reserved.saturating_add(self.in_flight);
        let (target, bound) = self.target(left);
        let mut free = target.saturating_sub(here);
        if here == 0 && !left.is_zero() {
            // One item may take longer than there is time: it is tried all the same, or nothing
            // would ever be measured again.
            free = free.max(1);
        }
        let max = self.config.max;
        let (n, bound) = if demand <= free.min(max) {
            (demand, PollBound::Demand)
        } else if max < free {
            (max, PollBound::Max)
        } else {
            (free, bound)
        };
        PollSize { n, bound }
    }

    /// Counts a poll that is made.
    pub(super) fn count(&mut self, size: PollSize) {
        self.n_polls += 1;
        self.n_at_max += u64::from(size.bound == PollBound::Max);
        self.bound = Some(size.bound);
    }

    /// What a flow may ask its source for now; `None` while it is better to wait for more.
    pub(super) fn reserve(&mut self, wanted: u64) -> Option<u64> {
        let left = self.config.interval;
        let size = self.size(wanted, left);
        // Not each item by itself: a poll costs as much for one as for many.
        let worth = self.target(left).0.min(self.config.max).div_ceil(4).min(wanted);
        let is_idle = self.reserved == 0 && self.in_flight == 0;
        if size.n == 0 || (size.n < worth && !is_idle) {
            return None;
        }
        self.count(size);
        self.reserved = self.reserved.saturating_add(size.n);
        Some(size.n)
    }

    pub(super) fn wait(&mut self, waker: Waker) -> Option<Waker> {
        if self.waiting.iter().any(|known| known.will_wake(&waker)) {
            return Some(waker);
        }
        self.waiting.push(waker);
        None
    }

    #[must_use = "they are woken after the lock"]
    pub(super) fn refund(&mut self, n: u64) -> Vec<Waker> {
        self.reserved = self.reserved.saturating_sub(n);
        self.take_waiting()
    }

    pub(super) fn take_waiting(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting)
    }

    /// An item has come.
    pub(super) fn arrive(&mut self, was_reserved: bool) {
        self.reserved -= u64::from(was_reserved && self.reserved > 0);
        self.in_flight += 1;
        self.n_polled += 1;
    }

    /// An item has left, after a time if it was measured.
    #[must_use = "they are woken after the lock"]
    pub(super) fn leave(&mut self, took: Option<Duration>) -> Vec<Waker> {
        self.in_flight -= 1;
        if let Some(took) = took {
            self.n_measured += 1;
            self.times.push_back(took);
            self.sum = self.sum.saturating_add(took);
            self.forget_old();
        }
        self.take_waiting()
    }

    pub(super) fn forget_old(&mut self) {
        while self.times.len() > self.config.history {
            let old = self.times.pop_front().unwrap_or_default();
            self.sum = self.sum.saturating_sub(old);
        }
    }

    pub(super) fn snapshot(&self) -> PollSnapshot {
        PollSnapshot {
            service: self.mean(),
            in_flight: self.in_flight,
            reserved: self.reserved,
            target: self.target(self.config.interval).0,
            polls: self.n_polls,
            polled: self.n_polled,
            at_max: self.n_at_max,
            measured: self.n_measured,
            bound: self.bound,
        }
    }
}
