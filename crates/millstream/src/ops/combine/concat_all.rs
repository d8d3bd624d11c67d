//! `concat_all`: the flows of a list, one after another.

use millstream_kernel::{End, guard::caught};
use reactive_streams::{Error, Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, ErrorMode, Flow, empty,
    parts::sequence::{self, Handoff, Successor},
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
/// Completes after the last flow; fails with the first that fails, and then drops the iterator.
/// [`error_mode`](Flow::error_mode) may delay that until all have ended. If the iterator panics, fails
/// with an error of kind `Panicked`.
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
    Flow { source: ConcatAll { flows: flows.into_iter(), mode: ErrorMode::Immediate } }
}

impl<I> Flow<ConcatAll<I>> {
    /// [`concat_all`] with another policy for failures: with [`Delayed`](ErrorMode::Delayed), the next
    /// flow begins after one that failed. One flow runs at a time, so that
    /// [`Boundary`](ErrorMode::Boundary) is [`Immediate`](ErrorMode::Immediate).
    #[doc(alias = "concat_delay_error")]
    pub fn error_mode(mut self, mode: ErrorMode) -> Self {
        self.source.mode = mode;
        self
    }
}

/// Publisher returned by [`concat_all`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ConcatAll<I> {
    flows: I,
    mode: ErrorMode,
}

impl<I, P> Publisher for ConcatAll<I>
where
    I: Iterator<Item = P> + Send + 'static,
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { flows, mode } = self;
        sequence::subscribe(empty(), downstream, Rest { flows, mode, failure: None });
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

/// The flows that are still to come.
struct Rest<I> {
    flows: I,
    mode: ErrorMode,
    /// One that waits for the end.
    failure: Option<Error>,
}

impl<I, P> Successor<P::Item> for Rest<I>
where
    I: Iterator<Item = P> + Send + 'static,
    P: Publisher<Item: Send + 'static>,
{
    fn next<S: Subscriber<P::Item>>(&mut self, end: End, handoff: Handoff<P::Item, S, Self>) {
        match end {
            End::Complete => {}
            End::Failed(error) if self.mode == ErrorMode::Delayed => {
                self.failure.get_or_insert(error);
            }
            end => return handoff.end(end),
        }
        match caught(|| self.flows.next()) {
            Ok(Some(flow)) => handoff.subscribe(flow),
            Ok(None) => handoff.end(self.failure.take().map_or(End::Complete, End::Failed)),
            Err(error) => handoff.end(End::Failed(error)),
        }
    }
}
