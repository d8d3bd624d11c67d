//! `expand_recursive`: each item, and those that are made of it.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use millstream_kernel::{End, Gate, Inline, Source, Step, after_turn};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        at_hand::AtHand,
        fan_in::PREFETCH,
        inlet::{Inlet, check_bound, inlet},
        inlet_pool::InletPool,
    },
    scheduler::surroundings::Surroundings,
};

impl<P: Publisher> Flow<P> {
    /// Passes each item on, and then the items of the flow that `f` makes of it, of each of which
    /// `f` makes another flow, and so on: a tree, level by level.
    ///
    /// One flow runs at a time, and up to `capacity` others wait for their turn.
    /// For pages, each of which names the next, 1 is enough; a tree of width `w` needs as many.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the flow whose turn it is, the source at
    /// first, is asked for 32 items, and for 24 more whenever as many were passed on.
    /// `f` is called as an item is passed on, and its flow is subscribed to when it is its turn.
    ///
    /// # Termination
    ///
    /// Completes when no flow is left. Fails with the first that fails, or with an error of kind
    /// `Overflow` if more than `capacity` flows would wait.
    /// If `f` panics, fails with an error of kind `Panicked`.
    /// A cancel reaches the flow that runs, and drops those that wait.
    /// Whether there is anything in flows that are not at hand is known when another item is asked
    /// for.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{from_iter, just};
    ///
    /// let halves = |n: &u32| from_iter(if *n > 1 { vec![n / 2, n - n / 2] } else { vec![] });
    /// let tree = just(5).expand_recursive(16, halves).collect::<Vec<_>>().wait()?;
    /// assert_eq!(tree, [5, 2, 3, 1, 1, 1, 2, 1, 1]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn expand_recursive<Q, F>(self, capacity: usize, f: F) -> Flow<ExpandRecursive<P, F>>
    where
        F: FnMut(&P::Item) -> Q + Send + 'static,
        Q: Publisher<Item = P::Item> + Send + 'static,
    {
        check_bound(capacity);
        Flow { source: ExpandRecursive { source: self.source, capacity, f } }
    }
}

/// Publisher returned by [`Flow::expand_recursive`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ExpandRecursive<P, F> {
    source: P,
    capacity: usize,
    f: F,
}

impl<P, Q, F> Publisher for ExpandRecursive<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(&P::Item) -> Q + Send + 'static,
    Q: Publisher<Item = P::Item> + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, capacity, f } = self;
        let (entrance, inlet) = inlet(PREFETCH);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let source = ExpandRecursiveSource {
                present: Some(Box::new(inlet)),
                at_hand: AtHand::new(PREFETCH),
                failed_at_hand: None,
                waiting: VecDeque::new(),
                capacity,
                f,
                failure: None,
                inlets: InletPool::new(PREFETCH),
                gate: Weak::clone(gate),
                surroundings: Surroundings::current(),
            };
            (source, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

// What waits of one flow; the others are not subscribed to.
backpressure!(ExpandRecursive<P, F>, Queue, |_this| PREFETCH);
opaque_debug!(ExpandRecursive<P, F>);

struct ExpandRecursiveSource<Q: Publisher, F, S> {
    /// What waits of the flow whose turn it is.
    present: Option<Box<Inlet<Q::Item>>>,
    /// The same, of a flow that was taken whole. There is no other then.
    at_hand: AtHand<Q::Item>,
    /// How it ends after that, if not well.
    failed_at_hand: Option<End>,
    /// Those that wait for their turn.
    waiting: VecDeque<Q>,
    capacity: usize,
    f: F,
    /// There were too many.
    failure: Option<End>,
    inlets: InletPool<Q::Item>,
    /// What the flows wake.
    gate: Weak<Gate<Self, S, Inline>>,
    surroundings: Surroundings,
}

impl<Q, F, S> ExpandRecursiveSource<Q, F, S>
where
    Q: Publisher<Item: Send + 'static> + Send + 'static,
    F: FnMut(&Q::Item) -> Q + Send + 'static,
    S: Subscriber<Q::Item>,
{
    /// Makes a flow of an item that is passed on.
    fn grow(&mut self, item: &Q::Item) {
        let Self { f, surroundings, .. } = self;
        let flow = surroundings.within(|| f(item));
        if self.waiting.len() < self.capacity {
            return self.waiting.push_back(flow);
        }
        self.cancel();
        self.present = None;
        self.waiting.clear();
        self.failure = Some(End::Failed(Error::new(
            ErrorKind::Overflow,
            format!("more than {} flows of items wait to be expanded", self.capacity),
        )));
    }

    /// Takes the next flow whole if its items are at hand, and returns it if not;
    /// `None` if it was taken, or there is none.
    fn take_at_hand(&mut self) -> Option<Q> {
        let flow = self.waiting.pop_front()?;
        let Self { at_hand, surroundings, .. } = self;
        match surroundings.within(|| at_hand.take(flow)) {
            Ok(End::Complete) => None,
            Ok(end) => {
                self.failed_at_hand = Some(end);
                None
            }
            Err(flow) => Some(flow),
        }
    }

    /// Begins the next flow.
    fn begin(&mut self) {
        let Some(flow) = self.take_at_hand() else { return };
        if let Some(gate) = self.gate.upgrade() {
            let (entrance, inlet) = self.inlets.begin();
            self.present = Some(inlet);
            let surroundings = self.surroundings.clone();
            let subscriber = entrance.subscriber(gate);
            after_turn::run(move || surroundings.within(|| flow.subscribe(subscriber)));
        }
    }

    /// The present flow has ended. How everything ends, if it does.
    fn leave(&mut self, end: End) -> Option<End> {
        if let Some(inlet) = self.present.take() {
            self.inlets.close(inlet);
        }
        matches!(end, End::Failed(_)).then_some(end)
    }
}

impl<Q, F, S> Source for ExpandRecursiveSource<Q, F, S>
where
    Q: Publisher<Item: Send + 'static> + Send + 'static,
    F: FnMut(&Q::Item) -> Q + Send + 'static,
    S: Subscriber<Q::Item>,
{
    type Item = Q::Item;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Q::Item> {
        loop {
            if let Some(end) = self.failure.take() {
                return Step::End(end);
            }
            if let Some(item) = self.at_hand.next() {
                self.grow(&item);
                return Step::Item(item);
            }
            if let Some(end) = self.failed_at_hand.take() {
                return Step::End(end);
            }
            match self.present.as_mut().map(|inlet| inlet.next()) {
                Some(Step::Item(item)) => {
                    self.grow(&item);
                    return Step::Item(item);
                }
                Some(Step::Pending) => return Step::Pending,
                Some(Step::End(end)) => {
                    if let Some(end) = self.leave(end) {
                        return Step::End(end);
                    }
                }
                None if self.waiting.is_empty() => return Step::End(End::Complete),
                None => self.begin(),
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        if let Some(end) = self.failure.take() {
            return Some(end);
        }
        if let Some(inlet) = &mut self.present {
            let end = inlet.end()?;
            if let Some(end) = self.leave(end) {
                return Some(end);
            }
        }
        while self.at_hand.is_empty() && self.failed_at_hand.is_none() {
            if self.waiting.is_empty() {
                return Some(End::Complete);
            }
            // What is not at hand is not begun without demand.
            if let Some(flow) = self.take_at_hand() {
                self.waiting.push_front(flow);
                return None;
            }
        }
        if self.at_hand.is_empty() { self.failed_at_hand.take() } else { None }
    }

    fn cancel(&mut self) {
        if let Some(inlet) = &self.present {
            inlet.cancel();
        }
    }
}
