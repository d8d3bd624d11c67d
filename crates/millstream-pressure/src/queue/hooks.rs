//! `QueueHooks`: the closures of a queue, its store and its seed.

use std::fmt;

use super::SpillStore;
use crate::{Class, Items, Random, Reason, Weigh};

type Classify<T> = dyn Fn(&T) -> Class + Send + Sync;
type OnDrop<T> = dyn Fn(T, Reason) + Send + Sync;
type OnWatermark = dyn Fn(bool) + Send + Sync;

/// Closures of a queue, and its seed. None is run under the queue's lock.
pub struct QueueHooks<T> {
    pub(super) weigh: Box<dyn Weigh<T>>,
    pub(super) classify: Option<Box<Classify<T>>>,
    pub(super) on_drop: Option<Box<OnDrop<T>>>,
    pub(super) on_watermark: Option<Box<OnWatermark>>,
    pub(super) store: Option<Box<dyn SpillStore<T>>>,
    pub(super) random: Random,
}

impl<T> Default for QueueHooks<T> {
    fn default() -> Self {
        Self {
            weigh: Box::new(Items),
            classify: None,
            on_drop: None,
            on_watermark: None,
            store: None,
            random: Random::new(),
        }
    }
}

impl<T> QueueHooks<T> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What an item weighs, for [`QueueConfig::max_weight`](crate::QueueConfig::max_weight).
    #[must_use]
    pub fn weigh(self, weigh: impl Weigh<T>) -> Self {
        Self { weigh: Box::new(weigh), ..self }
    }

    /// How critical an item is: less critical ones are dropped first.
    #[must_use]
    pub fn classify(self, classify: impl Fn(&T) -> Class + Send + Sync + 'static) -> Self {
        Self { classify: Some(Box::new(classify)), ..self }
    }

    /// Is given each item that is dropped, and why.
    #[must_use]
    pub fn on_drop(self, on_drop: impl Fn(T, Reason) + Send + Sync + 'static) -> Self {
        Self { on_drop: Some(Box::new(on_drop)), ..self }
    }

    /// Is told when the queue becomes high, and when it is no longer.
    #[must_use]
    pub fn on_watermark(self, on_watermark: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self { on_watermark: Some(Box::new(on_watermark)), ..self }
    }

    /// Where items go that do not fit in memory, with
    /// [`WhenFull::Spill`](crate::WhenFull::Spill). What is in the store
    /// already comes first; its code runs on the threads that put and take.
    #[must_use]
    pub fn store(self, store: impl SpillStore<T>) -> Self {
        Self { store: Some(Box::new(store)), ..self }
    }

    /// Makes samples and jitter the same each time.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { random: Random::seeded(seed), ..self }
    }
}

impl<T> fmt::Debug for QueueHooks<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueHooks").finish_non_exhaustive()
    }
}
