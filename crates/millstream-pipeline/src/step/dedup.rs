//! `dedup`: drops items that are equal to one of the last.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

use serde_json::Value;

use crate::{DedupSpec, Expression};

/// The last different items, by 128 bits of a keyed hash: two that are taken for equal by mistake
/// are less likely than a fault of the memory.
pub(super) struct Dedup {
    key: Option<Expression>,
    remember: usize,
    hashers: (RandomState, RandomState),
    seen: HashSet<(u64, u64)>,
    order: VecDeque<(u64, u64)>,
}

impl Dedup {
    pub(super) fn new(spec: &DedupSpec) -> Self {
        Self {
            key: spec.key.clone(),
            remember: spec.remember.get(),
            hashers: (RandomState::new(), RandomState::new()),
            seen: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Returns whether it is not equal to one of the last, and remembers it.
    pub(super) fn is_new(&mut self, value: &Value) -> Result<bool, String> {
        let key = match &self.key {
            Some(key) => key.evaluate(value).map_err(|why| super::of(value, &why))?.to_string(),
            None => value.to_string(),
        };
        let hash = (self.hashers.0.hash_one(&key), self.hashers.1.hash_one(&key));
        if !self.seen.insert(hash) {
            return Ok(false);
        }
        self.order.push_back(hash);
        if self.order.len() > self.remember
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        Ok(true)
    }
}
