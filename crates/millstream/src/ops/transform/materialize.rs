//! `materialize`: signals as items.

use millstream_kernel::End;
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Flow, from_iter,
    parts::sequence::{self, Handoff, Successor},
};

/// A signal of a flow, as [`Flow::materialize`] makes an item of it.
#[derive(Clone, Debug)]
pub enum Signal<T> {
    /// An item.
    Next(T),
    /// The flow failed.
    Failed(Error),
    /// The flow completed.
    Completed,
}

impl<P: Publisher> Flow<P> {
    /// Makes items of all signals, also of the one that ends the flow.
    ///
    /// [`dematerialize`](Self::dematerialize) makes signals of them again.
    ///
    /// # Demand
    ///
    /// Passed on. The item for the end waits until it is asked for.
    ///
    /// # Termination
    ///
    /// Completes after the item for the source's end.
    /// Fails only when the downstream asks for nothing (rule 3.9), which is not the source's end.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::Signal;
    /// use millstream_testkit::marbles::check;
    ///
    /// check(
    ///     "--1--#",
    ///     |source| source.materialize().map(|signal| match signal {
    ///         Signal::Next(item) => item,
    ///         Signal::Failed(_) => 'f',
    ///         Signal::Completed => 'c',
    ///     }),
    ///     "--1--(f|)",
    /// );
    /// ```
    pub fn materialize(self) -> Flow<Materialize<P>>
    where
        P::Item: Send + 'static,
    {
        Flow { source: Materialize { source: self.source } }
    }
}

/// Publisher returned by [`Flow::materialize`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Materialize<P> {
    source: P,
}

impl<P> Publisher for Materialize<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = Signal<P::Item>;

    fn subscribe<S: Subscriber<Signal<P::Item>>>(self, downstream: S) {
        let items = Flow { source: self.source }.map(Signal::Next);
        sequence::subscribe(items, downstream, LastSignal { is_sent: false });
    }
}

backpressure!(Materialize<P>, PassThrough);
opaque_debug!(Materialize<P>);

struct LastSignal {
    is_sent: bool,
}

impl<T: Send + 'static> Successor<Signal<T>> for LastSignal {
    fn next<S: Subscriber<Signal<T>>>(&mut self, end: End, handoff: Handoff<Signal<T>, S, Self>) {
        let signal = match end {
            end if self.is_sent => return handoff.end(end),
            End::Failed(error) if error.kind() == ErrorKind::IllegalRequest => {
                return handoff.end(End::Failed(error));
            }
            End::Failed(error) => Signal::Failed(error),
            End::Complete => Signal::Completed,
        };
        self.is_sent = true;
        handoff.subscribe(from_iter([signal]));
    }
}
