//! Keys in progress: in memory, since the file has one process, and its leases end with it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

/// Leases of keys, with the moment at which each ends.
#[derive(Default)]
pub(super) struct Leases {
    by_key: HashMap<Arc<[u8]>, (u64, Duration)>,
    by_end: BTreeSet<(Duration, Arc<[u8]>)>,
    next: u64,
    pub(super) n_expired: u64,
}

impl Leases {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Ends those whose time is over.
    pub(super) fn pass_time(&mut self, now: Duration) {
        while let Some((end, key)) = self.by_end.first()
            && *end <= now
        {
            self.by_key.remove(key);
            self.by_end.pop_first();
            self.n_expired += 1;
        }
    }

    /// When the lease of a key ends.
    pub(super) fn end_of(&self, key: &[u8]) -> Option<Duration> {
        self.by_key.get(key).map(|(_, end)| *end)
    }

    /// When the first of all ends.
    pub(super) fn first_end(&self) -> Option<Duration> {
        self.by_end.first().map(|(end, _)| *end)
    }

    pub(super) fn begin(&mut self, key: &[u8], end: Duration) -> u64 {
        self.next += 1;
        let key: Arc<[u8]> = key.into();
        self.by_end.insert((end, Arc::clone(&key)));
        self.by_key.insert(key, (self.next, end));
        self.next
    }

    /// Ends the lease of this number, unless another has begun.
    pub(super) fn end(&mut self, key: &[u8], lease: u64) {
        if self.by_key.get(key).is_some_and(|(number, _)| *number == lease) {
            self.forget(key);
        }
    }

    /// Ends the lease of a key, whoever has it.
    pub(super) fn forget(&mut self, key: &[u8]) {
        if let Some((key, (_, end))) = self.by_key.remove_entry(key) {
            self.by_end.remove(&(end, key));
        }
    }

    pub(super) fn extend(&mut self, key: &[u8], lease: u64, end: Duration) {
        let Some((key, (number, before))) = self.by_key.get_key_value(key) else { return };
        if *number == lease {
            let (key, before) = (Arc::clone(key), *before);
            self.by_end.remove(&(before, Arc::clone(&key)));
            self.by_end.insert((end, Arc::clone(&key)));
            self.by_key.insert(key, (lease, end));
        }
    }
}
