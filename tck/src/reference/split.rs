//! A publisher each of whose items goes to one of its subscribers.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use reactive_streams::{Publisher, Subscriber};

use super::iterate;
use crate::sync::lock;

/// A publisher of the items of `iterator`, whose clones share them: each item goes to the
/// subscriber that asks first.
pub fn split<I: IntoIterator>(iterator: I) -> Split<I::IntoIter> {
    Split(Arc::new(Mutex::new(iterator.into_iter())))
}

/// The publisher that [`split()`] returns.
#[must_use = "publishers do nothing until subscribed to"]
pub struct Split<I>(Arc<Mutex<I>>);

impl<I> Publisher for Split<I>
where
    I: Iterator<Item: 'static> + Send + 'static,
{
    type Item = I::Item;

    fn subscribe<S: Subscriber<I::Item>>(self, subscriber: S) {
        iterate(Shared(self.0)).subscribe(subscriber);
    }
}

impl<I> Clone for Split<I> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<I> fmt::Debug for Split<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Split").finish_non_exhaustive()
    }
}

struct Shared<I>(Arc<Mutex<I>>);

impl<I: Iterator> Iterator for Shared<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        lock(&self.0).next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        lock(&self.0).size_hint()
    }
}
