//! Shared: the groups of a [grouping](super::source), by key, by age and by number.
//!
//! A group that has demand gets its items as they come; those that it did not ask for wait in it.
//!
//! # States of a group
//!
//! ```text
//!          open     ┌──────┐  evict_oldest, close   ┌─────────┐  settle: its items are taken
//!        ─────────▶ │ OPEN │ ─────────────────────▶ │ CLOSING │ ────────────────────────────▶ gone
//!                   └──────┘                        └─────────┘
//!          canceled, or dropped without a subscriber, in every state ────────────────────▶ gone
//! ```
//!
//! # Invariants
//!
//! 1. A key is in `index` and an age in `by_age` exactly while their group is OPEN.
//! 2. A place is empty and in `vacant`, or has a group.
//! 3. A group has at most `capacity` items, and an item goes around them only when there are none.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use millstream_kernel::{End, ReadySet, Wake};
use reactive_streams::BoxSubscriber;

use super::port::{Port, PortSubscription};
use crate::{Flow, Group};

/// The groups. The file's header has the rest.
pub(crate) struct Groups<K, T> {
    index: HashMap<K, usize>,
    by_age: BTreeMap<u64, usize>,
    n_begun: u64,
    places: Vec<Option<Place<K, T>>>,
    vacant: Vec<usize>,
    n_closing: usize,
    capacity: usize,
    ready: Arc<ReadySet>,
}

struct Place<K, T> {
    key: K,
    age: u64,
    port: Port<BoxSubscriber<T>>,
    items: VecDeque<T>,
    is_open: bool,
    /// How a group that is CLOSING ends after its items.
    end: Option<End>,
}

/// What became of an item.
pub(crate) enum Put<T> {
    /// The group has it.
    Done,
    /// As many items as the group may have wait in it.
    Full(T),
    /// The group is gone.
    Gone(T),
}

impl<K, T> Groups<K, T>
where
    K: Eq + Hash + Clone + Send + 'static,
    T: Send + 'static,
{
    /// None yet; `ready` has the numbers of those that rang.
    pub(crate) fn new(capacity: usize, ready: Arc<ReadySet>) -> Self {
        Self {
            index: HashMap::new(),
            by_age: BTreeMap::new(),
            n_begun: 0,
            places: Vec::new(),
            vacant: Vec::new(),
            n_closing: 0,
            capacity,
            ready,
        }
    }

    pub(crate) fn n_open(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn n_closing(&self) -> usize {
        self.n_closing
    }

    /// Those that have a place.
    pub(crate) fn n_there(&self) -> usize {
        self.n_open() + self.n_closing
    }

    /// The number of the open group of this key.
    #[inline]
    pub(crate) fn find(&self, key: &K) -> Option<usize> {
        self.index.get(key).copied()
    }

    /// Opens a group, which rings for a turn of `gate`.
    pub(crate) fn open(&mut self, key: K, gate: Arc<dyn Wake>) -> (usize, Flow<Group<K, T>>) {
        let number = self.vacant.pop().unwrap_or(self.places.len());
        let port = Port::new();
        let subscription =
            PortSubscription::new(port.slot(), Some((Arc::clone(&self.ready), number)), gate);
        let age = self.n_begun;
        self.n_begun += 1;
        self.index.insert(key.clone(), number);
        self.by_age.insert(age, number);
        let group = Group::new(key.clone(), subscription);
        let place = Place { key, age, port, items: VecDeque::new(), is_open: true, end: None };
        match self.places.get_mut(number) {
            Some(vacant) => *vacant = Some(place),
            None => self.places.push(Some(place)),
        }
        (number, Flow { source: group })
    }

    /// Gives the first item to a group. If it was dropped right away, so is the item.
    pub(crate) fn put_first(&mut self, number: usize, item: T) {
        // There is a place for it, since a capacity is at least 1.
        let _put = self.put(number, item);
    }

    /// Gives an item to a group.
    #[inline]
    pub(crate) fn put(&mut self, number: usize, item: T) -> Put<T> {
        let Some(place) = &mut self.places[number] else { return Put::Gone(item) };
        if place.items.is_empty() && place.port.is_ready() {
            place.port.give(item);
            if place.port.is_over() {
                self.remove(number);
            }
            return Put::Done;
        }
        self.settle(number);
        let Some(place) = &mut self.places[number] else { return Put::Gone(item) };
        if place.items.len() == self.capacity {
            return Put::Full(item);
        }
        place.items.push_back(item);
        self.settle(number);
        Put::Done
    }

    /// Does what a group's subscriber has asked for.
    pub(crate) fn settle(&mut self, number: usize) {
        let Some(Some(place)) = self.places.get_mut(number) else { return };
        place.port.attend();
        while !place.items.is_empty() && place.port.is_ready() {
            if let Some(item) = place.items.pop_front() {
                place.port.give(item);
            }
        }
        if place.items.is_empty()
            && place.port.is_attached()
            && let Some(end) = place.end.take()
        {
            place.port.end(end);
        }
        if place.port.is_over() {
            self.remove(number);
        }
    }

    /// Completes the group that was opened first, after the items that wait in it.
    pub(crate) fn evict_oldest(&mut self) {
        if let Some((_, number)) = self.by_age.pop_first() {
            self.end(number, End::Complete);
        }
    }

    /// Ends all groups, each after the items that wait in it.
    pub(crate) fn close(&mut self, end: &End) {
        while let Some((_, number)) = self.by_age.pop_first() {
            self.end(number, end.clone());
        }
    }

    /// `OPEN → CLOSING`. The group's age was taken out.
    fn end(&mut self, number: usize, end: End) {
        let Some(place) = &mut self.places[number] else { return };
        place.is_open = false;
        place.end = Some(end);
        self.index.remove(&place.key);
        self.n_closing += 1;
        self.settle(number);
    }

    fn remove(&mut self, number: usize) {
        let Some(mut place) = self.places[number].take() else { return };
        self.vacant.push(number);
        if place.is_open {
            self.index.remove(&place.key);
            self.by_age.remove(&place.age);
        } else {
            self.n_closing -= 1;
        }
        place.port.leave();
    }
}
