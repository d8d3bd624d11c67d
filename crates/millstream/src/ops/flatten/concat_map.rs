//! `concat_map`: each item becomes a flow, one after the other.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    inlet::{Inlet, InletPool, inlet},
};

/// Items that a flow is asked for at a time.
const BATCH: usize = 32;

impl<P: Publisher> Flow<P> {
    /// Turns each item into a flow, and passes on the items of one flow after the other.
    ///
    /// # Demand
    ///
    /// The source is asked for one item with the downstream's first request, and for another one when an
    /// item is taken: one item waits while a flow runs. The present flow is asked for 32
    /// items when its first is wanted, and then in batches; what was not yet passed on waits in a queue
    /// of that capacity.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last flow. Fails with the present flow, after its items, and
    /// cancels the source; fails with the source after the present flow. If `f` panics, fails with an
    /// error of kind `Panicked`.
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
        Flow { source: ConcatMap { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::concat_map`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ConcatMap<P, F> {
    source: P,
    f: F,
}

impl<P, F, Q> Publisher for ConcatMap<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let (entrance, outer) = inlet(1);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let gate = Weak::clone(gate);
            let source = ConcatMapSource {
                outer,
                f: self.f,
                inner: None,
                inlets: InletPool::new(BATCH),
                gate,
            };
            (source, downstream, Inline)
        });
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

opaque_debug!(ConcatMap<P, F>);

// An outer item, and the batch that waits of its flow.
backpressure!(inner ConcatMap<P, F>, Queue, |_this| 1 + BATCH);

struct ConcatMapSource<T, F, Q: Publisher, S> {
    outer: Inlet<T>,
    f: F,
    inner: Option<Box<Inlet<Q::Item>>>,
    inlets: InletPool<Q::Item>,
    /// What the inner flows wake.
    gate: Weak<Gate<Self, S, Inline>>,
}

impl<T, F, Q, S> ConcatMapSource<T, F, Q, S>
where
    T: Send + 'static,
    F: FnMut(T) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
    S: Subscriber<Q::Item>,
{
    fn subscribe(&mut self, item: T) {
        let publisher = (self.f)(item);
        if let Some(gate) = self.gate.upgrade() {
            let (entrance, inner) = self.inlets.open();
            self.inner = Some(inner);
            publisher.subscribe(entrance.subscriber(gate));
        }
    }

    fn close_inner(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.inlets.close(inner);
        }
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
            if let Some(inner) = &mut self.inner {
                match inner.next() {
                    Step::End(End::Complete) => self.close_inner(),
                    Step::End(End::Failed(error)) => {
                        self.outer.cancel();
                        return Step::End(End::Failed(error));
                    }
                    step => return step,
                }
            }
            match self.outer.next() {
                Step::Item(item) => self.subscribe(item),
                Step::Pending => return Step::Pending,
                Step::End(end) => return Step::End(end),
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        if let Some(inner) = &mut self.inner {
            match inner.end()? {
                End::Complete => self.close_inner(),
                End::Failed(error) => {
                    self.outer.cancel();
                    return Some(End::Failed(error));
                }
            }
        }
        self.outer.end()
    }

    fn cancel(&mut self) {
        if let Some(inner) = &self.inner {
            inner.cancel();
        }
        self.outer.cancel();
    }
}
