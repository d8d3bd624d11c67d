//! A publisher of what an iterator has, in the calls that request it.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard},
};

use reactive_streams::{BoxSubscriber, Demand, Error, Offer, Publisher, Subscriber, Subscription};

use crate::sync::lock;

/// A publisher of the items of `iterator`.
///
/// It is synchronous: items are sent by the calls that request them, by one call at a time.
/// It completes with the last item if the iterator's `size_hint` tells that it was the last, and
/// otherwise at the next request. A panic of the iterator becomes `on_error`.
/// A clone starts with a clone of the iterator.
///
/// # Examples
///
/// ```
/// use reactive_streams_tck::{publisher_tests, reference::iterate};
///
/// publisher_tests!(numbers, |n| iterate(0..n));
/// ```
pub fn iterate<I: IntoIterator>(iterator: I) -> Iterate<I::IntoIter> {
    Iterate(iterator.into_iter())
}

/// The publisher that [`iterate()`] returns.
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Iterate<I>(I);

impl<I> Publisher for Iterate<I>
where
    I: Iterator<Item: 'static> + Send + 'static,
{
    type Item = I::Item;

    fn subscribe<S: Subscriber<I::Item>>(self, mut subscriber: S) {
        let state = State { ends: None, demand: Demand::ZERO, stop: None };
        let line = Arc::new(Line { state: Mutex::new(state) });
        let handle = Arc::clone(&line);
        let subscribed = catch_unwind(AssertUnwindSafe(|| subscriber.on_subscribe(handle)));
        if subscribed.is_err() {
            // A subscriber that panicked counts as one that has canceled (rule 2.13).
            line.lock().stop = Some(Stop::Canceled);
            return;
        }
        let ends = Ends { iterator: self.0, subscriber: BoxSubscriber::new(subscriber) };
        line.run(ends);
    }
}

impl<I> fmt::Debug for Iterate<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iterate").finish_non_exhaustive()
    }
}

/// Both ends, which belong to the call that sends.
struct Ends<I: Iterator> {
    iterator: I,
    subscriber: BoxSubscriber<I::Item>,
}

struct State<I: Iterator> {
    /// There while nobody sends.
    ends: Option<Ends<I>>,
    demand: Demand,
    stop: Option<Stop>,
}

/// Why no more items are sent.
#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Canceled,
    /// Zero items were requested (rule 3.9).
    Illegal,
}

/// What the sending call does next.
enum Next {
    Send,
    Fail,
    Complete,
}

/// Runs the iterator's code.
fn source<R>(body: impl FnOnce() -> R) -> Result<R, Error> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| Error::panicked(&*payload))
}

struct Line<I: Iterator> {
    state: Mutex<State<I>>,
}

impl<I> Line<I>
where
    I: Iterator<Item: 'static> + Send + 'static,
{
    fn lock(&self) -> MutexGuard<'_, State<I>> {
        lock(&self.state)
    }

    /// Sends what may be sent, unless another call does so already, which then goes on.
    fn resume(&self, mut state: MutexGuard<'_, State<I>>) {
        let Some(ends) = state.ends.take() else { return };
        drop(state);
        self.run(ends);
    }

    fn run(&self, ends: Ends<I>) {
        // What panics is over: the unwinding drops both ends, and the panic stays here (rule 3.16).
        if catch_unwind(AssertUnwindSafe(|| self.send(ends))).is_err() {
            self.lock().stop = Some(Stop::Canceled);
        }
    }

    fn send(&self, mut ends: Ends<I>) {
        loop {
            // The iterator runs without the lock: it may take long, or ask for more itself.
            let is_empty = match source(|| ends.iterator.size_hint().1 == Some(0)) {
                Ok(is_empty) => is_empty,
                Err(error) => return ends.subscriber.on_error(error),
            };
            let next = {
                let mut state = self.lock();
                let stop = state.stop;
                match stop {
                    Some(Stop::Canceled) => return,
                    Some(Stop::Illegal) => Next::Fail,
                    None if is_empty => Next::Complete,
                    None if state.demand.take(1) == 1 => Next::Send,
                    None => {
                        state.ends = Some(ends);
                        return;
                    }
                }
            };
            match next {
                Next::Fail => return ends.subscriber.on_error(Error::illegal_request()),
                Next::Complete => return ends.subscriber.on_complete(),
                Next::Send => {}
            }
            let item = match source(|| ends.iterator.next()) {
                Ok(Some(item)) => item,
                Ok(None) => return ends.subscriber.on_complete(),
                Err(error) => return ends.subscriber.on_error(error),
            };
            match ends.subscriber.offer(item) {
                Offer::Accepted => {}
                Offer::Skipped => self.lock().demand.add(1),
                Offer::Finished => return,
            }
        }
    }

    /// Ends the stream from outside; what is left is dropped after the lock.
    fn stop(&self, stop: Stop) {
        let mut state = self.lock();
        if state.stop.is_none() {
            state.stop = Some(stop);
        }
        if stop == Stop::Illegal {
            return self.resume(state);
        }
        let ends = state.ends.take();
        drop(state);
        drop(ends);
    }
}

impl<I> Subscription for Line<I>
where
    I: Iterator<Item: 'static> + Send + 'static,
{
    fn request(&self, n: u64) {
        if n == 0 {
            return self.stop(Stop::Illegal);
        }
        let mut state = self.lock();
        state.demand.add(n);
        self.resume(state);
    }

    fn cancel(&self) {
        self.stop(Stop::Canceled);
    }
}
