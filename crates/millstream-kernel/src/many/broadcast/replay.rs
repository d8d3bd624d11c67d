//! The last items of a broadcast, for those who join later.
//!
//! # Invariants
//!
//! 1. Items are numbered without gaps, in `items` and then in `aside`.
//! 2. While the replay buffer is lent, `items` is with the borrower, and nothing is dropped from
//!    it.
//! 3. While it is not, there are no notes, nothing is aside, and there are at most `limit` items.

use std::{collections::VecDeque, time::Duration};

use super::Member;

/// What has entry. The file's header has the rest.
pub(super) struct ReplayBuffer<T> {
    items: VecDeque<Entry<T>>,
    /// What was sent while the rest is lent.
    aside: VecDeque<Entry<T>>,
    notes: VecDeque<Arrival<T>>,
    is_lent: bool,
    n_items: u64,
    limit: usize,
    max_age: Option<Duration>,
}

pub(super) struct Entry<T> {
    number: u64,
    at: Duration,
    item: T,
}

/// A member that has not got the replay buffer yet.
pub(super) struct Arrival<T> {
    pub(super) member: Member<T>,
    /// How many items had been sent when it joined.
    n_items: u64,
    limit: usize,
    /// When the oldest item that it gets was sent.
    since: Duration,
}

impl<T> ReplayBuffer<T> {
    pub(super) fn new(limit: usize, max_age: Option<Duration>) -> Self {
        Self {
            items: VecDeque::new(),
            aside: VecDeque::new(),
            notes: VecDeque::new(),
            is_lent: false,
            n_items: 0,
            limit,
            max_age,
        }
    }

    /// Leaves a note for a member. Whether the replay buffer is lent to the caller now.
    pub(super) fn note(&mut self, member: Member<T>, now: Duration) -> bool {
        let since = self.max_age.map_or(Duration::ZERO, |age| now.saturating_sub(age));
        let (n_items, limit) = (self.n_items, self.limit);
        self.notes.push_back(Arrival { member, n_items, limit, since });
        !std::mem::replace(&mut self.is_lent, true)
    }

    pub(super) fn next_note(&mut self) -> Option<Arrival<T>> {
        self.notes.pop_front()
    }

    /// Everything until now, for the borrower.
    pub(super) fn take_out(&mut self) -> VecDeque<Entry<T>> {
        let mut items = std::mem::take(&mut self.items);
        items.append(&mut self.aside);
        items
    }

    /// What the borrower had.
    pub(super) fn put_in(&mut self, items: VecDeque<Entry<T>>) {
        self.items = items;
    }

    /// `LENT → HERE`. What is too much by now.
    pub(super) fn put_back(&mut self) -> Vec<T> {
        self.items.append(&mut self.aside);
        self.is_lent = false;
        let mut dropped = Vec::new();
        self.trim(Duration::ZERO, &mut dropped);
        dropped
    }

    /// Adds an item; moves those that it makes too many or too old to `dropped`.
    pub(super) fn extend(&mut self, item: Option<T>, now: Duration, dropped: &mut Vec<T>) {
        if let Some(item) = item {
            let entry = Entry { number: self.n_items, at: now, item };
            self.n_items += 1;
            if self.is_lent {
                self.aside.push_back(entry);
            } else {
                self.items.push_back(entry);
                self.trim(now, dropped);
            }
        }
    }

    fn trim(&mut self, now: Duration, dropped: &mut Vec<T>) {
        let since = self.max_age.map_or(Duration::ZERO, |age| now.saturating_sub(age));
        while self.items.len() > self.limit
            || self.items.front().is_some_and(|oldest| oldest.at < since)
        {
            dropped.extend(self.items.pop_front().map(|oldest| oldest.item));
        }
    }
}

impl<T: Clone> Arrival<T> {
    /// Clones of those of `items` that the member is to get.
    pub(super) fn select(&self, items: &VecDeque<Entry<T>>) -> Vec<T> {
        let n_before = items.partition_point(|entry| entry.number < self.n_items);
        let before = items.range(n_before.saturating_sub(self.limit)..n_before);
        let recent = before.filter(|entry| entry.at >= self.since);
        recent.map(|entry| entry.item.clone()).collect()
    }
}
