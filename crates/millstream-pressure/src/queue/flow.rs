//! A queue as a flow, and as an operator between two parts of one.

use std::{
    sync::{Arc, Weak},
    task::{Poll, Waker},
};

use millstream::{
    Backpressure, BackpressureKind, Bounded, Demand, Error, ErrorKind, Flow, Publisher, Subscriber,
    Subscription, parts::GateWaker,
};
use millstream_kernel::{End, Gate, Inline, Source, Step, Wake};

use super::{
    Put, Queue, Shared,
    link::Link,
    take::{Taken, Taking},
};
use crate::{Policy as _, Reason};

impl<T: Send + 'static> Queue<T> {
    /// What is put into the queue, as a flow. Several flows of a queue share its items.
    ///
    /// # Demand
    ///
    /// An item is taken when it is asked for.
    ///
    /// # Termination
    ///
    /// Completes when the queue was closed and all items were taken. After a cancel, what waits
    /// stays in the queue.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::scheduler::VirtualTime;
    /// use millstream_pressure::{Queue, QueueConfig};
    /// use millstream_testkit::Probe;
    ///
    /// let queue = Queue::new("orders", QueueConfig::default(), &VirtualTime::new())?;
    /// let probe = Probe::subscribe_to(queue.flow());
    /// probe.request(2);
    /// queue.try_put(1)?;
    /// queue.try_put(2)?;
    /// queue.try_put(3)?;
    /// assert_eq!(probe.items(), [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flow(&self) -> Flow<FromQueue<T>> {
        FromQueue(self.clone()).into()
    }

    /// The operator of [`FlowExt::queue`](crate::FlowExt::queue).
    pub(crate) fn stage<P: Publisher<Item = T>>(&self, source: P) -> Flow<Queued<P>> {
        Queued { source, queue: self.clone() }.into()
    }
}

/// Publisher returned by [`Queue::flow`].
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FromQueue<T>(Queue<T>);

impl<T: Send + 'static> Publisher for FromQueue<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let link = Link::unfed();
        let _gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            (QueueSource::new(&self.0, link, gate), downstream, Inline)
        });
    }
}

impl<T> Backpressure for FromQueue<T> {
    const KIND: BackpressureKind = BackpressureKind::Source;

    fn max_in_flight(&self) -> u64 {
        max_items(&self.0.0)
    }
}

impl<T> Bounded for FromQueue<T> {}

/// Publisher returned by [`FlowExt::queue`](crate::FlowExt::queue).
#[must_use = "publishers do nothing until subscribed to"]
pub struct Queued<P: Publisher> {
    source: P,
    queue: Queue<P::Item>,
}

impl<P: Publisher<Item: Send + 'static>> Publisher for Queued<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let link = Link::fed();
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            (QueueSource::new(&self.queue, Arc::clone(&link), gate), downstream, Inline)
        });
        self.source.subscribe(QueueSubscriber::new(&self.queue, link, gate));
    }
}

impl<P: Publisher + Clone> Clone for Queued<P> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), queue: self.queue.clone() }
    }
}

impl<P: Publisher> std::fmt::Debug for Queued<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queued").finish_non_exhaustive()
    }
}

impl<P: Publisher + Backpressure> Backpressure for Queued<P> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.source.max_in_flight().saturating_add(max_items(&self.queue.0))
    }
}

impl<P: Publisher + Bounded> Bounded for Queued<P> {}

fn max_items<T>(shared: &Shared<T>) -> u64 {
    let state = shared.state.lock();
    state.config.max_capacity.unwrap_or(state.config.capacity) as u64
}

/// The upstream's subscriber.
pub(crate) struct QueueSubscriber<T: Send + 'static, W: Wake> {
    shared: Arc<Shared<T>>,
    link: Arc<Link>,
    /// Told of the end; items wake whoever waits for one.
    taker: Arc<W>,
    /// The upstream is asked for what there is room for.
    waits: bool,
    is_over: bool,
}

impl<T: Send + 'static, W: Wake + 'static> Subscriber<T> for QueueSubscriber<T, W> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.link.upstream.set(subscription);
    }

    fn on_next(&mut self, item: T) {
        if self.is_over {
            return;
        }
        let entry = self.shared.entry(item);
        if !self.waits {
            // One that is refused goes where those go that are dropped.
            if let Put::Rejected(rejected) | Put::NoRoom(rejected) = self.shared.offer(entry) {
                self.shared.lose(rejected.item, rejected.reason);
            }
            return;
        }
        let has_place = {
            let mut line = self.link.line.lock();
            let has_place = line.asked > 0 && !line.is_canceled;
            line.asked -= u64::from(has_place);
            has_place
        };
        if has_place {
            let now = self.shared.clock.now();
            self.shared.change(|state, served| {
                state.fill(entry, 0, now);
                state.serve_taker(served);
            });
        } else if !self.link.line.lock().is_canceled {
            self.link.upstream.cancel();
            self.end(End::Failed(Error::new(
                ErrorKind::Overflow,
                "the publisher sent more items than were requested (rule 1.1)",
            )));
        }
    }

    fn on_error(mut self, error: Error) {
        self.end(End::Failed(error));
    }

    fn on_complete(mut self) {
        self.end(End::Complete);
    }
}

impl<T: Send + 'static, W: Wake> QueueSubscriber<T, W> {
    pub(crate) fn new(queue: &Queue<T>, link: Arc<Link>, taker: Arc<W>) -> Self {
        let waits = queue.config().when_full.waits();
        Self { shared: Arc::clone(&queue.0), link, taker, waits, is_over: false }
    }

    fn end(&mut self, end: End) {
        self.is_over = true;
        let asked = {
            let mut line = self.link.line.lock();
            line.end.get_or_insert(end);
            std::mem::take(&mut line.asked)
        };
        self.link.upstream.finish();
        self.shared.give_back(asked);
        self.taker.wake();
    }
}

impl<T: Send + 'static, W: Wake> Drop for QueueSubscriber<T, W> {
    fn drop(&mut self) {
        if !self.is_over {
            self.end(End::Failed(Error::new(
                ErrorKind::Disconnected,
                "the publisher dropped its subscriber without a terminal signal",
            )));
        }
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Hands an item that was counted to the callback.
    fn lose(&self, entry: super::Entry<T>, reason: Reason) {
        if let Some(on_drop) = &self.hooks.on_drop {
            on_drop(entry.item, reason);
        }
    }

    fn give_back(&self, n: u64) {
        if n > 0 {
            self.change(|state, served| {
                for _ in 0..n {
                    state.give_back(0, served);
                }
            });
        }
    }
}

/// Takes from the queue for the downstream.
pub(crate) struct QueueSource<T: Send + 'static> {
    taking: Taking<T>,
    link: Arc<Link>,
    waker: Waker,
    /// Its place among those who are told when the queue is closed.
    entry: usize,
    waits: bool,
    is_started: bool,
}

impl<T: Send + 'static> QueueSource<T> {
    pub(crate) fn new(queue: &Queue<T>, link: Arc<Link>, gate: &Weak<impl Wake + 'static>) -> Self {
        let shared = Arc::clone(&queue.0);
        let waker = Waker::from(Arc::new(GateWaker::new(Weak::clone(gate))));
        let (entry, waits) = {
            let mut state = shared.state.lock();
            let entry = state.flows.enter(Some(waker.clone()), 0, false);
            (entry, state.config.when_full.waits())
        };
        let taking = Taking::of(&shared);
        Self { taking, link, waker, entry, waits, is_started: false }
    }

    /// Asks the upstream for what there is room for.
    fn replenish(&mut self) {
        if !self.waits {
            if !self.is_started {
                self.is_started = true;
                self.link.upstream.request(Demand::UNBOUNDED.get());
            }
            return;
        }
        let mut line = self.link.line.lock();
        if line.end.is_some() || !line.is_fed {
            return;
        }
        let n = self.taking.shared.change(|state, _| state.reserve_free());
        line.asked += n;
        drop(line);
        if n > 0 {
            self.link.upstream.request(n);
        }
    }
}

impl<T: Send + 'static> QueueSource<T> {
    /// Asks the upstream, if there is one, for the first items.
    pub(crate) fn start(&mut self) {
        if !self.is_started && self.link.line.lock().is_fed {
            self.replenish();
            self.is_started = true;
        }
    }

    /// Leaves the line for items, so that one that comes is for others who wait.
    pub(crate) fn leave(&mut self) {
        self.taking.leave();
    }

    pub(crate) fn next_taken(&mut self) -> Step<Taken<T>> {
        self.start();
        // What was put before the end is taken before it.
        let is_over = self.link.line.lock().end.is_some();
        match self.taking.poll(&self.waker) {
            Poll::Ready(Some(taken)) => {
                self.replenish();
                Step::Item(taken)
            }
            Poll::Ready(None) => {
                self.cancel();
                Step::End(End::Complete)
            }
            Poll::Pending if is_over => match self.end() {
                Some(end) => Step::End(end),
                None => Step::Pending,
            },
            Poll::Pending => {
                self.replenish();
                Step::Pending
            }
        }
    }
}

impl<T: Send + 'static> Source for QueueSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        match self.next_taken() {
            Step::Item(taken) => Step::Item(taken.item),
            Step::Pending => Step::Pending,
            Step::End(end) => Step::End(end),
        }
    }

    fn end(&mut self) -> Option<End> {
        let (is_empty, is_closed) = {
            let state = self.taking.shared.state.lock();
            (state.tiers.len() == 0 && state.spilled.is_empty(), state.is_closed)
        };
        if !is_empty {
            return None;
        }
        let end = self.link.line.lock().end.take();
        if end.is_none() && is_closed {
            self.cancel();
            return Some(End::Complete);
        }
        end
    }

    fn cancel(&mut self) {
        let asked = {
            let mut line = self.link.line.lock();
            line.is_canceled = true;
            std::mem::take(&mut line.asked)
        };
        self.link.upstream.cancel();
        self.taking.shared.give_back(asked);
    }
}

impl<T: Send + 'static> Drop for QueueSource<T> {
    fn drop(&mut self) {
        let waker = self.taking.shared.state.lock().flows.remove(self.entry);
        drop(waker);
    }
}
