//! `switch_on_first`: the first item decides how the flow goes on.

use reactive_streams::{Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow, Tail, from_iter, parts::fan_in::PREFETCH,
};

impl<P: Publisher> Flow<P> {
    /// Goes on with the flow that `f` makes of the flow of all items, of which the first is there
    /// to be looked at, by [`head`](Flow::head).
    ///
    /// Without a first item the source has ended, and the flow of all items ends in the same way.
    /// Other parts of a flow than the first item: [`prefix_and_tail`](Self::prefix_and_tail).
    ///
    /// # Demand
    ///
    /// The source is asked for one item when the downstream asks for something, and for 32 more
    /// when there is one, which wait for the flow of all items.
    /// The flow of `f` is asked for 32 items, and for 24 more whenever as many were passed on.
    ///
    /// # Termination
    ///
    /// Completes and fails with the flow of `f`. When the flow of all items is dropped, the source
    /// is canceled. If `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// A header says how the lines after it are read:
    ///
    /// ```
    /// let lines = millstream::from_iter(["radix 16", "ff", "10"]);
    /// let numbers = lines.switch_on_first(|lines| {
    ///     let radix = lines.head().and_then(|line| line.strip_prefix("radix ")?.parse().ok());
    ///     lines.skip(1).map(move |line| u32::from_str_radix(line, radix.unwrap_or(10)))
    /// });
    /// assert_eq!(numbers.collect::<Vec<_>>().wait()?, [Ok(255), Ok(16)]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "flat_map_prefix")]
    pub fn switch_on_first<Q, F>(self, f: F) -> Flow<SwitchOnFirst<P, F>>
    where
        P::Item: Send + 'static,
        F: FnOnce(Flow<All<P::Item>>) -> Q + Send + 'static,
        Q: Publisher,
    {
        Flow { source: SwitchOnFirst { source: self.source, f } }
    }
}

impl<T> Flow<All<T>> {
    /// The first item, if there is one. It is part of the flow.
    ///
    /// # Demand
    ///
    /// None: the item is there.
    ///
    /// # Termination
    ///
    /// Without a first item the source has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// let flow = millstream::range(3..6).switch_on_first(|all| {
    ///     let first = all.head().copied().unwrap_or_default();
    ///     all.map(move |n| n - first)
    /// });
    /// assert_eq!(flow.collect::<Vec<_>>().wait()?, [0, 1, 2]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[must_use]
    pub fn head(&self) -> Option<&T> {
        self.source.head.as_ref()
    }
}

/// Publisher returned by [`Flow::switch_on_first`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct SwitchOnFirst<P, F> {
    source: P,
    f: F,
}

impl<P, Q, F> Publisher for SwitchOnFirst<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnOnce(Flow<All<P::Item>>) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let Self { source, f } = self;
        let mut f = Some(f);
        // There is one pair; after it the source is the tail's alone.
        let pair = Flow { source }.prefix_and_tail(1).take(1);
        let switch = pair.filter_map(move |(mut prefix, tail)| {
            let all = Flow { source: All { head: prefix.pop(), tail } };
            Some((f.take()?, all))
        });
        switch.concat_map(|(f, all)| f(all)).subscribe(downstream);
    }
}

impl<P, Q, F> Backpressure for SwitchOnFirst<P, F>
where
    P: Publisher + Backpressure,
    F: FnOnce(Flow<All<P::Item>>) -> Q,
    Q: Backpressure,
{
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        // What waits before, inside and behind the flow of `f`, which is not there yet.
        self.source.max_in_flight().saturating_add(3 * PREFETCH as u64 + 1)
    }
}

impl<P, Q, F> Bounded for SwitchOnFirst<P, F>
where
    P: Publisher + Bounded,
    F: FnOnce(Flow<All<P::Item>>) -> Q,
    Q: Bounded,
{
}

opaque_debug!(SwitchOnFirst<P, F>);

/// All items of a flow, the first of which is there: see [`Flow::switch_on_first`].
#[must_use = "publishers do nothing until subscribed to, and the items of one that is dropped are lost"]
pub struct All<T> {
    head: Option<T>,
    tail: Flow<Tail<T>>,
}

impl<T: Send + 'static> Publisher for All<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        from_iter(self.head).concat(self.tail).subscribe(downstream);
    }
}

impl<T> Backpressure for All<T> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.tail.max_in_flight().saturating_add(1)
    }
}

impl<T> Bounded for All<T> {}
opaque_debug!(All<T>);
