//! What waits, by how critical it is: items in the order in which they came, the least valuable of
//! which go first.

use std::{collections::VecDeque, time::Duration};

use crate::{Class, Criticality};

/// An item that waits.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) item: T,
    pub(super) weight: u64,
    pub(super) class: Class,
    pub(super) entered: Duration,
    pub(super) deadline: Option<Duration>,
    /// Its position among all that came.
    number: u64,
}

#[derive(Debug)]
pub(super) struct Tiers<T> {
    /// The index is the criticality.
    tiers: [VecDeque<Entry<T>>; 3],
    n_items: usize,
    weight: u64,
    next_number: u64,
}

impl<T> Entry<T> {
    pub(super) fn new(item: T, weight: u64, class: Class) -> Self {
        Self { item, weight, class, entered: Duration::ZERO, deadline: None, number: 0 }
    }
}

impl<T> Tiers<T> {
    pub(super) fn new() -> Self {
        Self { tiers: [const { VecDeque::new() }; 3], n_items: 0, weight: 0, next_number: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.n_items
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    pub(super) fn push(&mut self, mut entry: Entry<T>, now: Duration) {
        entry.entered = now;
        entry.number = self.next_number;
        self.next_number += 1;
        self.n_items += 1;
        self.weight += entry.weight;
        self.tiers[entry.class.criticality as usize].push_back(entry);
    }

    /// When the item came that waits longest.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.tiers.iter().filter_map(VecDeque::front).map(|entry| entry.entered).min()
    }

    /// The one that came first, or last.
    pub(super) fn pop(&mut self, newest: bool) -> Option<Entry<T>> {
        let ends = self.tiers.iter().enumerate();
        let tier = if newest {
            let backs = ends.filter_map(|(tier, entries)| Some((entries.back()?.number, tier)));
            backs.max()
        } else {
            let fronts = ends.filter_map(|(tier, entries)| Some((entries.front()?.number, tier)));
            fronts.min()
        };
        let tier = &mut self.tiers[tier?.1];
        let entry = if newest { tier.pop_back() } else { tier.pop_front() };
        self.left(entry)
    }

    /// The oldest of the least critical, if it is at most as critical as `than`, or less if
    /// `strictly`.
    pub(super) fn evict(&mut self, than: Criticality, strictly: bool) -> Option<Entry<T>> {
        let bound = than as usize + usize::from(!strictly);
        let tier = self.tiers[..bound].iter_mut().find(|entries| !entries.is_empty())?;
        let entry = tier.pop_front();
        self.left(entry)
    }

    /// The one at a position among all that wait.
    pub(super) fn remove(&mut self, mut position: usize) -> Option<Entry<T>> {
        for tier in &mut self.tiers {
            if position < tier.len() {
                let entry = tier.remove(position);
                return self.left(entry);
            }
            position -= tier.len();
        }
        None
    }

    fn left(&mut self, entry: Option<Entry<T>>) -> Option<Entry<T>> {
        let entry = entry?;
        self.n_items -= 1;
        self.weight -= entry.weight;
        Some(entry)
    }
}
