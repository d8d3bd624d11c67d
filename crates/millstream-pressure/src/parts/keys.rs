//! `Keys`: something for each key, in bounded memory.

use std::collections::HashMap;

/// The fewest keys at which idle ones are looked for.
const FEW: usize = 64;

/// A value for each key. Idle ones are looked for when there are twice as many as were left the
/// last time, so that a key costs the same however many there are.
#[derive(Debug)]
pub(crate) struct Keys<V> {
    values: HashMap<u64, V>,
    sweep_at: usize,
    evicted: u64,
}

impl<V: Clone> Keys<V> {
    pub(crate) fn new() -> Self {
        Self { values: HashMap::new(), sweep_at: FEW, evicted: 0 }
    }

    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        self.values.get(&key)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// How many were forgotten.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.values.values()
    }

    /// Whether it is time to look for idle ones.
    pub(crate) fn is_due(&self, max: usize) -> bool {
        self.values.len() >= self.sweep_at.min(max)
    }

    /// Forgets the idle ones, and returns them, to be dropped after the caller's lock.
    pub(crate) fn sweep(&mut self, mut is_idle: impl FnMut(&V) -> bool) -> Vec<V> {
        let idle: Vec<V> =
            self.values.extract_if(|_, value| is_idle(value)).map(|(_, value)| value).collect();
        self.evicted += idle.len() as u64;
        self.sweep_at = self.values.len().saturating_mul(2).max(FEW);
        idle
    }

    /// A new value, unless there are `max`.
    pub(crate) fn insert(&mut self, key: u64, max: usize, make: impl FnOnce() -> V) -> Option<V> {
        if self.values.len() >= max {
            return None;
        }
        let value = make();
        self.values.insert(key, value.clone());
        Some(value)
    }
}
