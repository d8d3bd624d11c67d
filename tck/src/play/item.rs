//! Items whose drops are counted (rule R.3 of this binding).

use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
};

use crate::sync::lock;

thread_local! {
    /// Where items that are made on this thread are counted.
    static CURRENT: RefCell<Option<Arc<Ledger>>> = const { RefCell::new(None) };
}

/// An item that knows its number, and that is missed if it is lost.
///
/// A publisher of such items is judged by one rule more: each item is delivered or dropped in the
/// end (rule R.3). [`items`] makes them.
#[derive(Debug)]
pub struct Item {
    id: u64,
    ledger: Option<Arc<Ledger>>,
}

/// How many items there are.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    ever: u64,
    alive: u64,
}

impl Item {
    fn new(id: u64, ledger: Option<Arc<Ledger>>) -> Self {
        if let Some(ledger) = &ledger {
            let mut counts = lock(&ledger.0);
            counts.ever += 1;
            counts.alive += 1;
        }
        Self { id, ledger }
    }

    /// Its number, counted from 0.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl Clone for Item {
    fn clone(&self) -> Self {
        Self::new(self.id, self.ledger.clone())
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        if let Some(ledger) = &self.ledger {
            lock(&ledger.0).alive -= 1;
        }
    }
}

impl Ledger {
    /// How many items are neither delivered nor dropped.
    pub(crate) fn alive(&self) -> u64 {
        lock(&self.0).alive
    }

    /// Whether any item was made.
    pub(crate) fn is_used(&self) -> bool {
        lock(&self.0).ever > 0
    }

    /// Runs `body`, and counts the items of iterators that it makes.
    pub(crate) fn watch<R>(self: &Arc<Self>, body: impl FnOnce() -> R) -> R {
        let before = CURRENT.replace(Some(Arc::clone(self)));
        let result = body();
        CURRENT.set(before);
        result
    }
}

/// `n` items, numbered from 0.
///
/// # Examples
///
/// ```
/// use reactive_streams_tck::{publisher_tests, reference::{Item, items, iterate}};
///
/// # #[allow(unused)]
/// fn mine(n: u64) -> impl reactive_streams::Publisher<Item = Item> {
///     iterate(items(n))
/// }
///
/// publisher_tests!(mine_with_counted_items, |n| mine(n));
/// ```
#[must_use]
pub fn items(n: u64) -> Items {
    Items { next: 0, len: n, ledger: CURRENT.with_borrow(Clone::clone) }
}

/// The iterator that [`items`] returns.
#[derive(Clone, Debug)]
pub struct Items {
    next: u64,
    len: u64,
    ledger: Option<Arc<Ledger>>,
}

impl Iterator for Items {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let id = self.next;
        (id < self.len).then(|| {
            self.next += 1;
            Item::new(id, self.ledger.clone())
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.next..self.len).size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_is_kept_is_missed() {
        let ledger = Arc::<Ledger>::default();

        let mut made = ledger.watch(|| items(3));
        let kept = made.next();
        drop(made.next());

        assert_eq!(ledger.alive(), 1);
        drop(kept);
        assert_eq!(ledger.alive(), 0);
        assert!(ledger.is_used());
    }
}
