//! `flat_map`: each item becomes a flow, several at a time.

use reactive_streams::{Publisher, Subscriber};

use crate::{
    ErrorMode, Flow,
    parts::{
        fan_in::{CONCURRENCY, PREFETCH, fair::FanIn, flattening},
        inlet::check_capacity,
    },
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into a flow, runs up to 32 of them at a time, and passes their items
    /// on as they come.
    ///
    /// Fair: a flow that always has an item gives at most 8 before the next one that has some gets
    /// its turn. The items of one flow stay in order.
    /// With thousands of flows, those that are idle cost nothing but their memory.
    /// For the order of the source, see
    /// [`flat_map_sequential`](Self::flat_map_sequential); for one flow at a time,
    /// [`concat_map`](Self::concat_map).
    ///
    /// [`concurrency`](Flow::concurrency) and [`prefetch`](Flow::prefetch) set other bounds.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked for as many items as
    /// flows may run, and for one more for each flow that ended.
    /// Each flow is asked for 32 items when it begins, and for three quarters of that again
    /// whenever as many were passed on. At most 32 items of each flow wait, 1024 in all.
    /// Flows of at most 8 items at hand, such as
    /// [`just`](crate::just), are taken whole, and count as one flow while their items wait.
    ///
    /// # Termination
    ///
    /// Completes after the source and all flows. Fails with the first flow that fails, after the
    /// items of that flow, or with the source; the others are canceled, and what waits of them is
    /// dropped.
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
    ///         letters.flat_map(move |_| flow.clone()).concurrency(2).prefetch(32)
    ///     },
    ///     "--1--2-1(3)-2--3--|",
    /// );
    /// ```
    #[doc(alias = "merge_map")]
    #[doc(alias = "flat_map_merge")]
    #[doc(alias = "flat_map_unordered")]
    pub fn flat_map<F, Q>(self, f: F) -> Flow<FlatMap<P, F>>
    where
        F: FnMut(P::Item) -> Q + Send + 'static,
        Q: Publisher,
    {
        let (concurrency, prefetch, mode) = (CONCURRENCY, PREFETCH, ErrorMode::Immediate);
        Flow { source: FlatMap { source: self.source, f, concurrency, prefetch, mode } }
    }
}

impl<P, F> Flow<FlatMap<P, F>> {
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
    /// let flow = range(0..9).flat_map(just).concurrency(2).prefetch(1);
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
    /// let flow = range(0..9).flat_map(|n| range(n..).inspect(|n| println!("{n}"))).prefetch(1);
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

    /// [`flat_map`](Self::flat_map) with another policy for failures.
    ///
    /// # Demand
    ///
    /// Unchanged.
    ///
    /// # Termination
    ///
    /// As `mode` says.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Error, ErrorMode, error, just, range};
    /// use millstream_testkit::Probe;
    ///
    /// let flow = range(0..3)
    ///     .flat_map(|n| match n {
    ///         0 => error(Error::message("no")).boxed(),
    ///         _ => just(n).boxed(),
    ///     })
    ///     .concurrency(3)
    ///     .prefetch(1)
    ///     .error_mode(ErrorMode::Delayed);
    /// let probe = Probe::subscribe_to(flow);
    /// probe.request(9);
    /// assert_eq!(probe.items(), [1, 2]);
    /// assert!(probe.error().is_some());
    /// ```
    #[doc(alias = "flat_map_delay_error")]
    pub fn error_mode(mut self, mode: ErrorMode) -> Self {
        self.source.mode = mode;
        self
    }
}

/// Publisher returned by [`Flow::flat_map`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FlatMap<P, F> {
    source: P,
    f: F,
    concurrency: usize,
    prefetch: usize,
    mode: ErrorMode,
}

impl<P, F, Q> Publisher for FlatMap<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let Self { source, f, concurrency, prefetch, mode } = self;
        let inners = FanIn::new(concurrency, prefetch, mode);
        flattening::subscribe(source, f, inners, (concurrency, prefetch), downstream);
    }
}

backpressure!(inner FlatMap<P, F>, Queue, |this| this.concurrency.saturating_mul(this.prefetch + 1));
opaque_debug!(FlatMap<P, F>);
