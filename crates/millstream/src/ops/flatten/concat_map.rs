//! `concat_map`: each item becomes a flow, one after the other.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step, after_turn};
use reactive_streams::{Error, Publisher, Subscriber};

use crate::scheduler::surroundings::Surroundings;
use crate::{
    ErrorMode, Flow,
    parts::{
        at_hand::AtHand,
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
        inlet_pool::InletPool,
    },
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into a flow, and passes on the items of one flow after the other.
    ///
    /// # Demand
    ///
    /// The source is asked for one item with the downstream's first request, and for another one
    /// when an item is taken: one item waits while a flow runs. The present flow is asked for 32
    /// items when its first is wanted, and then in batches; what was not yet passed on waits in a
    /// queue of that capacity. A flow of at most 8 items at hand, such as
    /// [`just`](crate::just), is taken whole.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last flow. Fails with the present flow, after its items,
    /// and cancels the source; fails with the source after the present flow.
    /// [`error_mode`](Flow::error_mode) may hasten the one or delay the other. If `f` panics, fails
    /// with an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let items = millstream::range(1..4).concat_map(|n| millstream::range(0..n));
    /// assert_eq!(items.collect::<Vec<_>>().wait()?, [0, 0, 1, 0, 1, 2]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn concat_map<F, Q>(self, f: F) -> Flow<ConcatMap<P, F>>
    where
        F: FnMut(P::Item) -> Q + Send + 'static,
        Q: Publisher,
    {
        let mode = ErrorMode::Boundary;
        Flow { source: ConcatMap { source: self.source, f, mode } }
    }
}

impl<P, F> Flow<ConcatMap<P, F>> {
    /// [`concat_map`](Self::concat_map) with another policy for failures than
    /// [`Boundary`](ErrorMode::Boundary).
    ///
    /// With [`Immediate`](ErrorMode::Immediate), a failure of the source cancels the present flow;
    /// with [`Delayed`](ErrorMode::Delayed), the next flow begins after one that failed.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Error, ErrorMode, error, just, range};
    /// use millstream_testkit::Probe;
    ///
    /// let flow = range(0..3)
    ///     .concat_map(|n| if n == 0 { error(Error::message("no")).boxed() } else { just(n).boxed()
    ///     }) .error_mode(ErrorMode::Delayed); let probe = Probe::subscribe_to(flow);
    ///     probe.request(9); assert_eq!(probe.items(), [1, 2]); assert!(probe.error().is_some());
    /// ```
    #[doc(alias = "concat_map_delay_error")]
    pub fn error_mode(mut self, mode: ErrorMode) -> Self {
        self.source.mode = mode;
        self
    }
}

/// Publisher returned by [`Flow::concat_map`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ConcatMap<P, F> {
    source: P,
    f: F,
    mode: ErrorMode,
}

impl<P, F, Q> Publisher for ConcatMap<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let Self { source, f, mode } = self;
        let (entrance, outer) = inlet(1);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let gate = Weak::clone(gate);
            let source = ConcatMapSource {
                outer,
                outer_end: None,
                f,
                inner: None,
                at_hand: AtHand::new(PREFETCH),
                failed_at_hand: None,
                inlets: InletPool::new(PREFETCH),
                mode,
                failure: None,
                gate,
                surroundings: Surroundings::current(),
            };
            (source, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

opaque_debug!(ConcatMap<P, F>);

// An outer item, and the batch that waits of its flow.
backpressure!(inner ConcatMap<P, F>, Queue, |_this| 1 + PREFETCH);

struct ConcatMapSource<T, F, Q: Publisher, S> {
    outer: Inlet<T>,
    /// An end of the source that was seen while a flow runs.
    outer_end: Option<End>,
    f: F,
    inner: Option<Box<Inlet<Q::Item>>>,
    /// What is left of a flow that was taken whole. There is no other then.
    at_hand: AtHand<Q::Item>,
    /// How it ends after them, if not well.
    failed_at_hand: Option<End>,
    inlets: InletPool<Q::Item>,
    mode: ErrorMode,
    /// One that waits for the end.
    failure: Option<Error>,
    /// What the inner flows wake.
    gate: Weak<Gate<Self, S, Inline>>,
    surroundings: Surroundings,
}

impl<T, F, Q, S> ConcatMapSource<T, F, Q, S>
where
    T: Send + 'static,
    F: FnMut(T) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
    S: Subscriber<Q::Item>,
{
    /// Begins the flow of `item`.
    fn subscribe(&mut self, item: T) {
        let Self { f, at_hand, surroundings, .. } = self;
        let publisher = match surroundings.within(|| at_hand.take(f(item))) {
            Ok(End::Complete) => return,
            Ok(end) => return self.failed_at_hand = Some(end),
            Err(publisher) => publisher,
        };
        if let Some(gate) = self.gate.upgrade() {
            let (entrance, inner) = self.inlets.begin();
            self.inner = Some(inner);
            let surroundings = self.surroundings.clone();
            let subscriber = entrance.subscriber(gate);
            after_turn::run(move || surroundings.within(|| publisher.subscribe(subscriber)));
        }
    }

    fn close_inner(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.inlets.close(inner);
        }
    }

    /// A failure of the source that does not wait for the present flow.
    fn interrupt(&mut self) -> Option<End> {
        if self.mode != ErrorMode::Immediate || self.outer_end.is_some() {
            return None;
        }
        if self.inner.is_none() && self.at_hand.is_empty() {
            return None;
        }
        match self.outer.end()? {
            End::Complete => {
                self.outer_end = Some(End::Complete);
                None
            }
            end => {
                if let Some(inner) = &self.inner {
                    inner.cancel();
                }
                Some(end)
            }
        }
    }

    /// The present flow has ended. How everything ends, if it does.
    fn leave(&mut self, end: End) -> Option<End> {
        self.close_inner();
        self.judge(end)
    }

    /// A flow has ended. How everything ends, if it does.
    fn judge(&mut self, end: End) -> Option<End> {
        match end {
            End::Complete => None,
            End::Failed(error) if self.mode == ErrorMode::Delayed => {
                self.failure.get_or_insert(error);
                None
            }
            end => {
                self.outer.cancel();
                Some(end)
            }
        }
    }

    /// A flow at hand is used up. How everything ends, if it does.
    #[inline]
    fn leave_at_hand(&mut self) -> Option<End> {
        let end = self.failed_at_hand.take()?;
        self.judge(end)
    }

    /// The source has ended, and no flow runs.
    fn finish(&mut self, end: End) -> End {
        self.failure.take().map_or(end, End::Failed)
    }
}

impl<T, F, Q, S> Source for ConcatMapSource<T, F, Q, S>
where
    T: Send + 'static,
    F: FnMut(T) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
    S: Subscriber<Q::Item>,
{
    type Item = Q::Item;
    const IS_WOKEN: bool = true;

    #[inline]
    fn next(&mut self) -> Step<Q::Item> {
        loop {
            if let Some(end) = self.interrupt() {
                return Step::End(end);
            }
            if let Some(item) = self.at_hand.next() {
                return Step::Item(item);
            }
            if let Some(end) = self.leave_at_hand() {
                return Step::End(end);
            }
            if let Some(inner) = &mut self.inner {
                match inner.next() {
                    Step::End(end) => {
                        if let Some(end) = self.leave(end) {
                            return Step::End(end);
                        }
                    }
                    step => return step,
                }
            }
            if let Some(end) = self.outer_end.take() {
                return Step::End(self.finish(end));
            }
            match self.outer.next() {
                Step::Item(item) => self.subscribe(item),
                Step::Pending => return Step::Pending,
                Step::End(end) => return Step::End(self.finish(end)),
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        if let Some(end) = self.interrupt() {
            return Some(end);
        }
        if !self.at_hand.is_empty() {
            return None;
        }
        if let Some(end) = self.leave_at_hand() {
            return Some(end);
        }
        if let Some(inner) = &mut self.inner {
            let end = inner.end()?;
            if let Some(end) = self.leave(end) {
                return Some(end);
            }
        }
        let end = self.outer_end.take().or_else(|| self.outer.end())?;
        Some(self.finish(end))
    }

    fn cancel(&mut self) {
        if let Some(inner) = &self.inner {
            inner.cancel();
        }
        self.outer.cancel();
    }
}
