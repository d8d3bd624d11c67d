//! `concat_all`: the flows of a list, one after another.

use millstream_kernel::{End, guard::caught};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow, empty,
    sequence::{self, Seat, Successor},
};

/// The flows that an iterator gives, one after another.
///
/// The iterator is advanced when the flow before has completed, so a list may be endless, and a
/// hundred thousand empty flows in a row take no more stack than one.
///
/// # Demand
///
/// Passed to the flow whose turn it is. What it did not meet is asked of the next one.
///
/// # Termination
///
/// Completes after the last flow; fails with the first that fails, and then drops the iterator. If
/// the iterator panics, fails with an error of kind `Panicked`.
///
/// # Examples
///
/// ```
/// use millstream::{concat_all, range};
///
/// let items = concat_all((1..4).map(|n| range(0..n))).collect::<Vec<_>>().wait()?;
/// assert_eq!(items, [0, 0, 1, 0, 1, 2]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "concat")]
pub fn concat_all<I>(flows: I) -> Flow<ConcatAll<I::IntoIter>>
where
    I: IntoIterator<IntoIter: Send + 'static, Item: Publisher>,
{
    Flow { source: ConcatAll { flows: flows.into_iter() } }
}

/// Publisher returned by [`concat_all`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ConcatAll<I> {
    flows: I,
}

impl<I, P> Publisher for ConcatAll<I>
where
    I: Iterator<Item = P> + Send + 'static,
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        sequence::subscribe(empty(), downstream, self);
    }
}

opaque_debug!(ConcatAll<I>);

impl<I> Backpressure for ConcatAll<I>
where
    I: IntoIterator<Item: Backpressure>,
{
    const KIND: BackpressureKind = BackpressureKind::PassThrough;

    fn max_in_flight(&self) -> u64 {
        // The flows are made as it runs.
        0
    }
}

impl<I> Bounded for ConcatAll<I> where I: IntoIterator<Item: Bounded> {}

impl<I, P> Successor<P::Item> for ConcatAll<I>
where
    I: Iterator<Item = P> + Send + 'static,
    P: Publisher<Item: Send + 'static>,
{
    fn next<S: Subscriber<P::Item>>(&mut self, end: End, seat: Seat<P::Item, S, Self>) {
        if let End::Failed(_) = end {
            return seat.end(end);
        }
        match caught(|| self.flows.next()) {
            Ok(Some(flow)) => seat.subscribe(flow),
            Ok(None) => seat.end(End::Complete),
            Err(error) => seat.end(End::Failed(error)),
        }
    }
}
