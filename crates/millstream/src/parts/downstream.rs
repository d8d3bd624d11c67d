//! The downstream of an operator that may end the flow before its source does.
//!
//! `take`, `take_while`, `scan`, `handle` and `flatten_results` end it in the middle of an offer,
//! and the source hears of that by the answer. The downstream is not told before the source has let
//! go: an operator that has answered [`Offer::Finished`] is dropped by whoever made the offer,
//! after what stands above it, and its drop tells the downstream.
//! So what the source held, such as the resource of `using`, is released before the end.
//! What the source sends all the same, or how it ends, concerns nobody any more.
//!
//! A publisher that calls `on_next` does not see the answer.
//! It is canceled instead, before the downstream is told; when it drops the operator is its own
//! matter.

use std::{mem::replace, sync::Arc};

use millstream_kernel::{End, Upstream, guard::caught};
use reactive_streams::{Error, Offer, Subscriber, Subscription};

/// A downstream until it is ended; then a subscriber that is finished.
pub struct Downstream<S>(State<S>);

enum State<S> {
    Open(S),
    /// It is told when this is dropped.
    Ending(S, End, fn(End, S)),
    Ended,
}

impl<S> Downstream<S> {
    /// Wraps `downstream`, which is not ended.
    pub fn new(downstream: S) -> Self {
        Self(State::Open(downstream))
    }

    /// Returns whether it was ended: the closure of an operator must not see another item.
    #[inline]
    pub fn is_ended(&self) -> bool {
        !matches!(self.0, State::Open(_))
    }

    /// Ends it, unless that was done before; the answer to whoever made the offer.
    /// The downstream is told when this is dropped, or by [`settle`](Self::settle).
    pub fn end<T>(&mut self, end: End) -> Offer
    where
        S: Subscriber<T>,
    {
        if !self.is_ended()
            && let State::Open(downstream) = replace(&mut self.0, State::Ended)
        {
            let signal = |end: End, downstream: S| end.signal::<T>(downstream);
            self.0 = State::Ending(downstream, end, signal);
        }
        Offer::Finished
    }

    /// For a publisher that called `on_next`: does what it would have done with the answer to an
    /// `offer`, and then tells the downstream, or lets go of one that has had enough.
    #[inline]
    pub fn settle(&mut self, upstream: &Upstream, offer: Offer) {
        upstream.settle(offer);
        if offer == Offer::Finished {
            self.let_go();
        }
    }

    /// Tells the downstream how it ended, if it did, and drops it if not.
    #[cold]
    pub fn let_go(&mut self) {
        if let State::Ending(downstream, end, signal) = replace(&mut self.0, State::Ended) {
            signal(end, downstream);
        }
    }

    fn take(&mut self) -> Option<S> {
        if self.is_ended() {
            return None;
        }
        match replace(&mut self.0, State::Ended) {
            State::Open(downstream) => Some(downstream),
            State::Ending(..) | State::Ended => None,
        }
    }
}

impl<S> Drop for Downstream<S> {
    fn drop(&mut self) {
        if matches!(self.0, State::Ending(..)) {
            self.let_go();
        }
    }
}

impl<T, S: Subscriber<T>> Subscriber<T> for Downstream<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if let State::Open(downstream) = &mut self.0 {
            downstream.on_subscribe(subscription);
        }
    }

    #[inline]
    fn initial_request(&mut self) -> u64 {
        if let State::Open(downstream) = &mut self.0 { downstream.initial_request() } else { 0 }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        if let State::Open(downstream) = &mut self.0 {
            downstream.on_next(item);
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if let State::Open(downstream) = &mut self.0 {
            downstream.offer(item)
        } else {
            Offer::Finished
        }
    }

    fn on_error(mut self, error: Error) {
        if let Some(downstream) = self.take() {
            downstream.on_error(error);
        }
    }

    fn on_complete(mut self) {
        if let Some(downstream) = self.take() {
            downstream.on_complete();
        }
    }
}

/// Passes `item` on, if there is one, and then ends `downstream`.
/// The caller has demand for the item.
///
/// A terminal signal may come from outside of a turn's guard, so that a panic of the downstream is
/// caught here.
pub fn end_after<T, S: Subscriber<T>>(mut downstream: S, item: Option<T>, end: End) {
    let Some(item) = item else { return end.signal(downstream) };
    match caught(|| downstream.offer(item)) {
        Ok(Offer::Accepted | Offer::Skipped) => end.signal(downstream),
        Ok(Offer::Finished) => {}
        Err(error) => downstream.on_error(error),
    }
}

opaque_debug!(Downstream<S>);
