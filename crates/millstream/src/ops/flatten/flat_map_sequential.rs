//! `flat_map_sequential`: each item becomes a flow, several at a time, in order.

use reactive_streams::{Publisher, Subscriber};

use crate::{
    ErrorMode, Flow,
    parts::{
        fan_in::{CONCURRENCY, PREFETCH, flattening, in_order::InOrder},
        inlet::check_capacity,
    },
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into a flow, runs up to 32 of them at a time, and passes their items
    /// on in the order of the source: all of one flow before those of the next.
    ///
    /// A flow whose turn has not come fills its queue and then waits.
    ///
    /// [`concurrency`](Flow::concurrency) and [`prefetch`](Flow::prefetch) set other bounds.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked for as many items as
    /// flows may run, and for one more for each flow of which all was passed on.
    /// Each flow is asked for 32 items when it begins, and for three quarters of that again
    /// whenever as many were passed on. At most `concurrency * prefetch` items wait, in queues of
    /// exactly `prefetch` each. Flows of at most 8 items at hand, such as [`just`](crate::just),
    /// are taken whole.
    ///
    /// # Termination
    ///
    /// Completes after the source and all flows. Fails with a flow when its turn comes, after its
    /// items, or with the source; the others are canceled, and what waits of them is dropped.
    /// [`error_mode`](Flow::error_mode) may delay that until all have ended. A cancel reaches the
    /// source and every flow. If `f` panics, fails with an error of kind `Panicked`.
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
    ///         letters.flat_map_sequential(move |_| flow.clone()).concurrency(2).prefetch(32)
    ///     },
    ///     "--1--2--3--(12)-3--|",
    /// );
    /// ```
    #[doc(alias = "concat_map_eager")]
    pub fn flat_map_sequential<F, Q>(self, f: F) -> Flow<FlatMapSequential<P, F>>
    where
        F: FnMut(P::Item) -> Q + Send + 'static,
        Q: Publisher,
    {
        let (concurrency, prefetch, mode) = (CONCURRENCY, PREFETCH, ErrorMode::Immediate);
        Flow { source: FlatMapSequential { source: self.source, f, concurrency, prefetch, mode } }
    }
}

impl<P, F> Flow<FlatMapSequential<P, F>> {
    /// Runs up to `n` flows at a time. Default: 32.
    ///
    /// # Demand
    ///
    /// The source is asked for `n` items with the first request.
    ///
    /// # Termination
    ///
    /// Unchanged.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Backpressure, just, range};
    ///
    /// let flow = range(0..9).flat_map_sequential(just).concurrency(2).prefetch(1);
    /// assert_eq!(flow.max_in_flight(), 4); // two items of the source, and two of the flows
    /// ```
    #[track_caller]
    pub fn concurrency(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.concurrency = n;
        self
    }

    /// Asks each flow for up to `n` items ahead. Default: 32.
    ///
    /// # Demand
    ///
    /// Each flow is asked for `n` items when it begins, and has a queue of exactly `n`.
    ///
    /// # Termination
    ///
    /// Unchanged.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::range;
    /// use millstream_testkit::Probe;
    ///
    /// let flow = range(0..9).flat_map_sequential(|n| range(n..).inspect(|n| println!("{n}")))
    ///     .prefetch(1);
    /// let probe = Probe::subscribe_to(flow.take(1));
    /// probe.request(1);
    /// assert_eq!(probe.items(), [0]);
    /// ```
    #[track_caller]
    pub fn prefetch(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.prefetch = n;
        self
    }

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
        flattening::subscribe(source, f, inners, (concurrency, prefetch), downstream);
    }
}

backpressure!(inner FlatMapSequential<P, F>, Queue, |this| this.concurrency.saturating_mul(this.prefetch + 1));
opaque_debug!(FlatMapSequential<P, F>);
