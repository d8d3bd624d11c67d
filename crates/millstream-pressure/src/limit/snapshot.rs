//! What a concurrency limit says of itself.

use super::Shared;
use crate::{Balance, Histogram, Outcome};

/// What a [`ConcurrencyLimit`](super::ConcurrencyLimit) says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSnapshot {
    /// How many may be in progress.
    pub limit: u64,
    /// How many are; more than the limit while it has shrunk.
    pub in_flight: u64,
    /// How many wait.
    pub waiting: usize,
    /// What became of each attempt: delivered are those that have ended, queued those in progress
    /// or waiting.
    pub balance: Balance,
    /// How long each call took that has ended, other than those that were given up or ignored.
    pub processing: Histogram,
    /// What the algorithm knows, under the names that metrics use; times in seconds.
    pub readings: Vec<(&'static str, f64)>,
    /// Each partition, and at last all others; none without partitions.
    pub partitions: Vec<PartitionSnapshot>,
    /// Whether it was closed.
    pub is_closed: bool,
    pub(super) outcomes: [u64; 5],
}

/// What a partition has.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionSnapshot {
    /// Its name; that of all others is empty.
    pub name: String,
    /// What is guaranteed to it.
    pub guaranteed: u64,
    /// What it may have now, with what others do not use.
    pub limit: u64,
    /// How many of its calls are in progress.
    pub in_flight: u64,
    /// How many of them wait.
    pub waiting: usize,
}

impl LimitSnapshot {
    /// How many calls have ended so.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }
}

impl Shared {
    pub(super) fn snapshot(&self) -> LimitSnapshot {
        let state = self.state.lock();
        let (limit, in_flight, mut waiting) = self.total.read();
        let names = state.config.partitions.iter().map(|share| share.name.clone());
        let names = names.chain([String::new()]);
        let partitions: Vec<PartitionSnapshot> = self
            .parts
            .iter()
            .zip(names)
            .enumerate()
            .map(|(index, (part, name))| {
                let guaranteed = state.partitions.guaranteed(index);
                let (limit, in_flight, waiting) = part.read();
                PartitionSnapshot { name, guaranteed, limit, in_flight, waiting }
            })
            .collect();
        waiting += partitions.iter().map(|part| part.waiting).sum::<usize>();
        LimitSnapshot {
            limit,
            in_flight,
            waiting,
            balance: self.ledger.balance(),
            processing: state.processing,
            readings: state.limiter.readings(),
            partitions,
            is_closed: self.total.is_closed(),
            outcomes: state.outcomes,
        }
    }
}
