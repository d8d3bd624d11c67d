//! `flat_map_sequential`: each item becomes a flow, several at a time, in order.

use reactive_streams::{Publisher, Subscriber};

use crate::{
    ErrorMode, Flow,
    parts::{
        fan_in::{flattening, in_order::InOrder},
        inlet::check_capacity,
    },
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into a flow, runs up to `concurrency` of them at a time, and passes their items
    /// on in the order of the source: all of one flow before those of the next.
    ///
    /// A flow whose turn has not come fills its queue and then waits.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked for `concurrency` items,
    /// and for one more for each flow of which all was passed on. Each flow is asked for `prefetch`
    /// items when it begins, and for three quarters of that again whenever as many were passed on. At
    /// most `concurrency * prefetch` items wait, in queues of exactly `prefetch` each.
    ///
    /// # Termination
    ///
    /// Completes after the source and all flows. Fails with a flow when its turn comes, after its
    /// items, or with the source; the others are cancelled, and what waits of them is dropped.
    /// [`error_mode`](Flow::error_mode) may delay that until all have ended. A cancel reaches the
    /// source and every flow. If `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Panics
    ///
    /// If `concurrency` or `prefetch` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::{check_in_time, source};
    ///
    /// check_in_time(
    ///     "a----b-------|",
    ///     |letters, clock| {
    ///         let flow = source("--1--2--3--|", clock);
    ///         letters.flat_map_sequential(2, 32, move |_| flow.clone())
    ///     },
    ///     "--1--2--3--(12)-3--|",
    /// );
    /// ```
    #[doc(alias = "concat_map_eager")]
    #[track_caller]
    pub fn flat_map_sequential<F, Q>(
        self,
        concurrency: usize,
        prefetch: usize,
        f: F,
    ) -> Flow<FlatMapSequential<P, F>>
    where
        F: FnMut(P::Item) -> Q + Send + 'static,
        Q: Publisher,
    {
        check_capacity(concurrency);
        check_capacity(prefetch);
        let mode = ErrorMode::Immediate;
        Flow { source: FlatMapSequential { source: self.source, f, concurrency, prefetch, mode } }
    }
}

impl<P, F> Flow<FlatMapSequential<P, F>> {
    /// [`flat_map_sequential`](Self::flat_map_sequential) with another policy for failures.
    pub fn error_mode(mut self, mode: ErrorMode) -> Self {
        self.source.mode = mode;
        self
    }
}

/// Publisher returned by [`Flow::flat_map_sequential`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FlatMapSequential<P, F> {
    source: P,
    f: F,
    concurrency: usize,
    prefetch: usize,
    mode: ErrorMode,
}

impl<P, F, Q> Publisher for FlatMapSequential<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let Self { source, f, concurrency, prefetch, mode } = self;
        let inners = InOrder::new(prefetch, mode);
        flattening::subscribe(source, f, inners, concurrency, downstream);
    }
}

backpressure!(inner FlatMapSequential<P, F>, Queue, |this| this.concurrency.saturating_mul(this.prefetch + 1));
opaque_debug!(FlatMapSequential<P, F>);
