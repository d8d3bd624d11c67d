//! The downstream of an operator that may end the flow before its source does.
//!
//! `take`, `take_while`, `scan` and `flatten_results` end it in the middle of an offer, and the source
//! hears of that by the answer. What it sends all the same, or how it ends, concerns nobody any more.

use std::sync::Arc;

use millstream_kernel::{End, guard::caught};
use reactive_streams::{Error, Offer, Subscriber, Subscription};

/// A downstream until it is ended; then a subscriber that is finished.
pub struct Downstream<S>(Option<S>);

impl<S> Downstream<S> {
    /// Wraps `downstream`, which is not ended.
    pub fn new(downstream: S) -> Self {
        Self(Some(downstream))
    }

    /// Returns whether it was ended: the closure of an operator must not see another item.
    #[inline]
    pub fn is_ended(&self) -> bool {
        self.0.is_none()
    }

    /// Ends it by `signal`, unless that was done before. Returns the answer to the offer that ended it.
    #[inline]
    pub fn end(&mut self, signal: impl FnOnce(S)) -> Offer {
        if let Some(downstream) = self.0.take() {
            signal(downstream);
        }
        Offer::Finished
    }
}

impl<T, S: Subscriber<T>> Subscriber<T> for Downstream<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if let Some(downstream) = &mut self.0 {
            downstream.on_subscribe(subscription);
        }
    }

    #[inline]
    fn initial_request(&mut self) -> u64 {
        self.0.as_mut().map_or(0, Subscriber::initial_request)
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        if let Some(downstream) = &mut self.0 {
            downstream.on_next(item);
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        match &mut self.0 {
            Some(downstream) => downstream.offer(item),
            None => Offer::Finished,
        }
    }

    fn on_error(self, error: Error) {
        if let Some(downstream) = self.0 {
            downstream.on_error(error);
        }
    }

    fn on_complete(self) {
        if let Some(downstream) = self.0 {
            downstream.on_complete();
        }
    }
}

/// Passes `item` on, if there is one, and then ends `downstream`. The caller has demand for the item.
///
/// A terminal signal may come from outside of a turn's guard, so that a panic of the downstream is caught
/// here.
pub fn end_after<T, S: Subscriber<T>>(mut downstream: S, item: Option<T>, end: End) {
    let Some(item) = item else { return end.signal(downstream) };
    match caught(|| downstream.offer(item)) {
        Ok(Offer::Accepted | Offer::Skipped) => end.signal(downstream),
        Ok(Offer::Finished) => {}
        Err(error) => downstream.on_error(error),
    }
}

opaque_debug!(Downstream<S>);
