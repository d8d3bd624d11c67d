//! `batch`: puts items together while the downstream is busy.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::inlet::{Inlet, check_bound, inlet},
};

/// The most items that wait in the queue.
pub(super) const QUEUE: usize = 16;

impl<P: Publisher> Flow<P> {
    /// Puts up to `max` items together while the downstream has no demand.
    ///
    /// `seed` makes a value of an item, and `f` adds another item to it.
    /// While the downstream keeps up, each item becomes a value of its own.
    /// For putting together without an end, see
    /// [`conflate`](Self::conflate).
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `max` items are asked for, but at most 16,
    /// and three quarters of that again whenever as many were put together or passed on.
    /// Apart from the value of up to `max` items, as many as were asked for wait in a queue.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the value and the items that wait.
    /// If `seed` or `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Panics
    ///
    /// If `max` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::{Probe, Puppet};
    ///
    /// let (puppet, publisher) = Puppet::new();
    /// let flow = millstream::Flow::from(publisher);
    /// let probe = Probe::subscribe_to(flow.batch(3, |n| vec![n], |batch, n| batch.push(n)));
    /// probe.request(1);
    /// (1..=5).for_each(|n| puppet.next(n).unwrap());
    /// probe.request(2);
    /// assert_eq!(probe.items(), [vec![1], vec![2, 3, 4], vec![5]]);
    /// ```
    #[track_caller]
    pub fn batch<A, G, F>(self, max: usize, seed: G, f: F) -> Flow<Batch<P, G, F>>
    where
        A: Send + 'static,
        G: FnMut(P::Item) -> A + Send + 'static,
        F: FnMut(&mut A, P::Item) + Send + 'static,
    {
        check_bound(max);
        Flow { source: Batch { source: self.source, max, seed, f } }
    }
}

/// Publisher returned by [`Flow::batch`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Batch<P, G, F> {
    source: P,
    max: usize,
    seed: G,
    f: F,
}

impl<P, A, G, F> Publisher for Batch<P, G, F>
where
    P: Publisher<Item: Send + 'static>,
    A: Send + 'static,
    G: FnMut(P::Item) -> A + Send + 'static,
    F: FnMut(&mut A, P::Item) + Send + 'static,
{
    type Item = A;

    fn subscribe<S: Subscriber<A>>(self, downstream: S) {
        let Self { source, max, seed, f } = self;
        let (entrance, inlet) = inlet(max.min(QUEUE));
        let batch = BatchSource {
            inlet,
            max,
            seed,
            f,
            value: None,
            n_items: 0,
            is_idle: false,
            is_dry: false,
        };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (batch, downstream, Inline));
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(Batch<P, G, F>, Queue, |_this| QUEUE + 1);
opaque_debug!(Batch<P, G, F>);

struct BatchSource<T, A, G, F> {
    inlet: Inlet<T>,
    max: usize,
    seed: G,
    f: F,
    value: Option<A>,
    /// How many items `value` was made of.
    n_items: usize,
    /// The downstream had no demand when it was last looked at.
    is_idle: bool,
    /// Demand was not met, because there was no item.
    is_dry: bool,
}

impl<T, A, G, F> BatchSource<T, A, G, F>
where
    T: Send + 'static,
    G: FnMut(T) -> A,
    F: FnMut(&mut A, T),
{
    fn add(&mut self, item: T) {
        match &mut self.value {
            Some(value) => (self.f)(value, item),
            None => self.value = Some((self.seed)(item)),
        }
        self.n_items += 1;
    }
}

impl<T, A, G, F> Source for BatchSource<T, A, G, F>
where
    T: Send + 'static,
    A: Send + 'static,
    G: FnMut(T) -> A + Send + 'static,
    F: FnMut(&mut A, T) + Send + 'static,
{
    type Item = A;
    const IS_WOKEN: bool = true;

    /// Puts together what came while there was no demand.
    /// Where there is some, items are left to `next`.
    fn advance(&mut self) {
        let n_before = self.n_items;
        while self.is_idle
            && self.n_items < self.max
            && let Some(item) = self.inlet.take_item()
        {
            self.add(item);
        }
        if self.n_items > n_before {
            // A source on this thread may send as many items now; they wake the gate, which comes
            // back.
            self.inlet.release((self.n_items - n_before) as u64);
        }
    }

    fn next(&mut self) -> Step<A> {
        self.is_idle = false;
        self.is_dry = false;
        if self.value.is_none() {
            match self.inlet.next() {
                Step::Item(item) => self.add(item),
                Step::Pending => {
                    self.is_dry = true;
                    return Step::Pending;
                }
                Step::End(end) => return Step::End(end),
            }
        }
        self.n_items = 0;
        self.value.take().map_or(Step::Pending, Step::Item)
    }

    /// Called when there is no demand, or no item.
    fn end(&mut self) -> Option<End> {
        self.is_idle = !self.is_dry;
        if self.value.is_some() { None } else { self.inlet.end() }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
