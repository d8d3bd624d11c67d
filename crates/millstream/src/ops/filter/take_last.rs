//! `take_last`: passes the last items on.
//!
//! Which items are the last ones is known at the end.
//! They are gathered on the way, and handed to a gate as one item of its queue, so that they wait
//! there for demand.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use millstream_kernel::{End, Gate, InlineForOne, Source, Step, Wake};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{
    Flow,
    parts::inlet::{Inlet, InletSubscriber, inlet},
};

impl<P: Publisher> Flow<P> {
    /// Passes the last `n` items on, once the source has completed.
    ///
    /// Up to `n` items are held.
    ///
    /// # Demand
    ///
    /// With the downstream's first request all of the source's items are asked for.
    /// The last ones wait until they are asked for.
    ///
    /// # Termination
    ///
    /// Completes after the last item. Fails with the source, at once: which items would have been
    /// the last ones is not known, and those that are held are dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--3--|", |source| source.take_last(2), "-----------(23|)");
    /// ```
    pub fn take_last(self, n: usize) -> Flow<TakeLast<P>>
    where
        P::Item: Send + 'static,
    {
        Flow { source: TakeLast { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::take_last`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct TakeLast<P> {
    source: P,
    n: usize,
}

impl<P> Publisher for TakeLast<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrance, inlet) = inlet(1);
        let source = TakeLastSource { inlet, last: VecDeque::new() };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, InlineForOne));
        let inlet = entrance.subscriber(Arc::clone(&gate));
        self.source.subscribe(TakeLastSubscriber { inlet, held: VecDeque::new(), n: self.n });
    }
}

backpressure!(TakeLast<P>, Queue, |this| this.n.saturating_add(1));
opaque_debug!(TakeLast<P>);

struct TakeLastSource<T> {
    inlet: Inlet<VecDeque<T>>,
    /// What is left of the last items, once they are known.
    last: VecDeque<T>,
}

impl<T: Send + 'static> Source for TakeLastSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        self.inlet.start();
        loop {
            if let Some(item) = self.last.pop_front() {
                return Step::Item(item);
            }
            match self.inlet.take() {
                Step::Item(last) => self.last = last,
                Step::Pending => return Step::Pending,
                Step::End(end) => return Step::End(end),
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        if self.last.is_empty() { self.inlet.end() } else { None }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}

struct TakeLastSubscriber<T, W: Wake> {
    inlet: InletSubscriber<VecDeque<T>, W>,
    /// The last items so far, at most `n` of them.
    held: VecDeque<T>,
    n: usize,
}

impl<T, W> Subscriber<T> for TakeLastSubscriber<T, W>
where
    T: Send + 'static,
    W: Wake + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.inlet.on_subscribe(Arc::new(Everything(subscription)));
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        if self.held.len() == self.n {
            self.held.pop_front();
        }
        // With an `n` of 0 nothing is held.
        if self.held.len() < self.n {
            self.held.push_back(item);
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.on_next(item);
        Offer::Accepted
    }

    fn on_error(self, error: Error) {
        self.inlet.on_error(error);
    }

    fn on_complete(mut self) {
        if !self.held.is_empty() {
            // There were items, so that something was requested: the queue has its place.
            self.inlet.on_next(self.held);
        }
        self.inlet.on_complete();
    }
}

/// Asks for everything where the queue asks for its one item.
struct Everything(Arc<dyn Subscription>);

impl Subscription for Everything {
    fn request(&self, _: u64) {
        self.0.request(u64::MAX);
    }

    fn cancel(&self) {
        self.0.cancel();
    }
}
