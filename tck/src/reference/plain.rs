//! Publishers that end at once, and one that never does.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use reactive_streams::{BoxSubscriber, Error, Publisher, Subscriber, Subscription};

use super::{Iterate, iterate};
use crate::sync::lock;

/// A publisher of the numbers from 0 up to `n`.
pub fn range(n: u64) -> Iterate<std::ops::Range<u64>> {
    iterate(0..n)
}

/// A publisher of one item.
pub fn single<T: Send + 'static>(item: T) -> Iterate<std::option::IntoIter<T>> {
    iterate(Some(item))
}

/// A publisher that completes at once.
pub fn empty<T: Send + 'static>() -> Iterate<std::iter::Empty<T>> {
    iterate(std::iter::empty())
}

/// A publisher that fails at once.
///
/// Its items are of any type: there are none.
pub fn failed<T>(error: Error) -> Failed<T> {
    Failed { error, item: std::marker::PhantomData }
}

/// The publisher that [`failed`] returns.
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Failed<T> {
    error: Error,
    item: std::marker::PhantomData<fn() -> T>,
}

impl<T> Publisher for Failed<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, mut subscriber: S) {
        let switch = Arc::<Switch>::default();
        let handle: Arc<dyn Subscription> = Arc::clone(&switch) as _;
        // A subscriber that panics is gone, and `subscribe` returns (rules 1.9 and 2.13).
        let signals = move || {
            subscriber.on_subscribe(handle);
            if !*lock(&switch.is_off) {
                subscriber.on_error(self.error);
            }
        };
        drop(catch_unwind(AssertUnwindSafe(signals)));
    }
}

/// Knows whether a cancel came.
#[derive(Default)]
struct Switch {
    is_off: Mutex<bool>,
}

impl Subscription for Switch {
    /// Not even zero items are answered: the error is on its way.
    fn request(&self, _: u64) {}

    fn cancel(&self) {
        *lock(&self.is_off) = true;
    }
}

/// A publisher that sends nothing and does not end.
pub fn never<T: 'static>() -> Never<T> {
    Never(std::marker::PhantomData)
}

/// The publisher that [`never()`] returns.
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Never<T>(std::marker::PhantomData<fn() -> T>);

impl<T: 'static> Publisher for Never<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, mut subscriber: S) {
        let seat = Arc::new(Seat(Mutex::new(State::Empty)));
        let handle: Arc<dyn Subscription> = Arc::clone(&seat) as _;
        if catch_unwind(AssertUnwindSafe(|| subscriber.on_subscribe(handle))).is_err() {
            return;
        }
        let mut state = lock(&seat.0);
        match *state {
            State::Canceled => {}
            State::Illegal => {
                drop(state);
                fail(subscriber);
            }
            State::Empty | State::Taken(_) => *state = State::Taken(BoxSubscriber::new(subscriber)),
        }
    }
}

fn fail<T>(subscriber: impl Subscriber<T>) {
    let end = || subscriber.on_error(Error::illegal_request());
    drop(catch_unwind(AssertUnwindSafe(end)));
}

/// Where a subscriber waits that gets nothing.
struct Seat<T>(Mutex<State<T>>);

enum State<T> {
    Empty,
    Taken(BoxSubscriber<T>),
    /// Zero items were requested (rule 3.9).
    Illegal,
    Canceled,
}

impl<T: 'static> Subscription for Seat<T> {
    fn request(&self, n: u64) {
        let mut state = lock(&self.0);
        if n > 0 || matches!(*state, State::Canceled) {
            return;
        }
        let before = std::mem::replace(&mut *state, State::Illegal);
        drop(state);
        if let State::Taken(subscriber) = before {
            fail(subscriber);
        }
    }

    fn cancel(&self) {
        let mut state = lock(&self.0);
        // An error that is due goes first; it lets go of the subscriber as well.
        if matches!(*state, State::Illegal) {
            return;
        }
        let before = std::mem::replace(&mut *state, State::Canceled);
        drop(state);
        drop(before);
    }
}
