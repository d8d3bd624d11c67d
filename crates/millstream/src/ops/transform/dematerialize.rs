//! `dematerialize`: items as signals.

use reactive_streams::{Publisher, Subscriber};

use crate::{Flow, Handled, Signal};

impl<P: Publisher> Flow<P> {
    /// Makes signals of items that stand for them: the reverse of
    /// [`materialize`](Self::materialize).
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Ends with the first item that stands for an end, and stops the source; otherwise completes
    /// and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--#", |source| source.materialize().dematerialize(), "--1--2--#");
    /// ```
    pub fn dematerialize<T>(self) -> Flow<Dematerialize<P>>
    where
        P: Publisher<Item = Signal<T>>,
    {
        Flow { source: Dematerialize { source: self.source } }
    }
}

/// Publisher returned by [`Flow::dematerialize`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Dematerialize<P> {
    source: P,
}

impl<P, T> Publisher for Dematerialize<P>
where
    P: Publisher<Item = Signal<T>>,
{
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let handled = Flow { source: self.source }.handle(|signal| match signal {
            Signal::Next(item) => Handled::Pass(item),
            Signal::Failed(error) => Handled::Fail(error),
            Signal::Completed => Handled::Complete,
        });
        handled.subscribe(downstream);
    }
}

backpressure!(Dematerialize<P>, PassThrough);
opaque_debug!(Dematerialize<P>);
