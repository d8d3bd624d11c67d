//! The results that count, with their totals kept as they come and go.

use std::{collections::VecDeque, time::Duration};

use super::BreakerWindow;
use crate::parts::Spans;

/// How many results, and of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

impl Totals {
    pub(super) fn of(is_failure: bool, is_slow: bool) -> Self {
        Self { calls: 1, failures: is_failure.into(), slow: is_slow.into() }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.slow += other.slow;
    }

    fn subtract(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failures -= other.failures;
        self.slow -= other.slow;
    }
}

/// The last results, or those of the last spans of time.
#[derive(Debug)]
pub(super) enum Window {
    Last { n: usize, results: VecDeque<Totals>, total: Totals },
    Spans(Spans<3>),
}

impl Window {
    pub(super) fn new(shape: BreakerWindow, now: Duration) -> Self {
        match shape {
            BreakerWindow::Count(n) => {
                let results = VecDeque::with_capacity(n);
                Self::Last { n, results, total: Totals::default() }
            }
            BreakerWindow::Time { buckets, bucket } => {
                Self::Spans(Spans::new(buckets, bucket, now))
            }
        }
    }

    pub(super) fn record(&mut self, result: Totals, now: Duration) {
        match self {
            Self::Last { n, results, total } => {
                if results.len() >= *n
                    && let Some(oldest) = results.pop_front()
                {
                    total.subtract(oldest);
                }
                results.push_back(result);
                total.add(result);
            }
            Self::Spans(spans) => spans.add([result.calls, result.failures, result.slow], now),
        }
    }

    /// What is in the window now.
    pub(super) fn total(&mut self, now: Duration) -> Totals {
        match self {
            Self::Last { total, .. } => *total,
            Self::Spans(spans) => {
                let [calls, failures, slow] = spans.total(now);
                Totals { calls, failures, slow }
            }
        }
    }
}
