//! Shared: an item that comes right before the end.

use millstream_kernel::{End, guard::caught};
use reactive_streams::{Offer, Subscriber};

/// Passes `item` on, if there is one, and then ends `downstream`. The caller has demand for the item.
///
/// A terminal signal may come from outside of a turn's guard, so that a panic of the downstream is caught
/// here.
pub(crate) fn end_after<T, S: Subscriber<T>>(mut downstream: S, item: Option<T>, end: End) {
    let Some(item) = item else { return end.signal(downstream) };
    match caught(|| downstream.offer(item)) {
        Ok(Offer::Accepted | Offer::Skipped) => end.signal(downstream),
        Ok(Offer::Finished) => {}
        Err(error) => downstream.on_error(error),
    }
}
