//! `map_async_partitioned`: futures in order for each key.
//!
//! # Invariants
//!
//! 1. A key is in `keys` as long as a future of one of its items runs; the items that wait for that
//!    are there, in order.
//! 2. The items asked of the source, waiting in the inlet or for their key, running, and the
//!    outputs that were not passed on, are at most `concurrency`.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    hash::Hash,
    sync::{Arc, Weak},
};

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use super::futures::Futures;
use crate::{
    Flow,
    parts::inlet::{Inlet, check_capacity, inlet},
    scheduler::{self, GateWaker, OnWorker, Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into a future, of which those with the same key run one after the other, and
    /// up to `concurrency` with different keys at a time; passes their outputs on as they are done.
    ///
    /// So the outputs of a key are in the order of its items.
    /// `f` is called when it is an item's turn. The futures are polled on the
    /// [ambient](scheduler::ambient) scheduler, also while the downstream is busy or wants nothing.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `concurrency` items are asked for, and one
    /// more for each output that was passed on. At most `concurrency` items and outputs are held,
    /// those that wait for their key included: many in a row with the same key leave fewer places
    /// for others.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last output; fails with the source, after the outputs of
    /// the items before. A cancel drops the futures and the items that wait.
    /// If a future, `key` or `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Panics
    ///
    /// Unless `concurrency` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// let events = millstream::from_iter([("a", 1), ("b", 1), ("a", 2)]);
    /// let stored = events.map_async_partitioned(8, |(id, _)| *id, |event| async move { event });
    /// let stored = stored.collect::<Vec<_>>().wait()?;
    /// let of_a: Vec<_> = stored.iter().filter(|(id, _)| *id == "a").collect();
    /// assert_eq!(of_a, [&("a", 1), &("a", 2)]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn map_async_partitioned<K, G, F, Fut>(
        self,
        concurrency: usize,
        key: G,
        f: F,
    ) -> Flow<MapAsyncPartitioned<P, G, F>>
    where
        K: Clone + Eq + Hash + Send + 'static,
        G: FnMut(&P::Item) -> K + Send + 'static,
        F: FnMut(P::Item) -> Fut + Send + 'static,
        Fut: Future<Output: Send> + Send + 'static,
    {
        self.map_async_partitioned_on(&scheduler::ambient(), concurrency, key, f)
    }

    /// [`map_async_partitioned`](Self::map_async_partitioned) on a worker of `scheduler`.
    ///
    /// # Demand
    ///
    /// As [`map_async_partitioned`](Self::map_async_partitioned).
    ///
    /// # Termination
    ///
    /// As [`map_async_partitioned`](Self::map_async_partitioned); fails with an error of kind
    /// `Rejected` if the scheduler was shut down.
    ///
    /// # Panics
    ///
    /// Unless `concurrency` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::scheduler::Pool;
    ///
    /// let n = millstream::range(0..9)
    ///     .map_async_partitioned_on(&Pool::new(1), 4, |n| n % 3, |n| async move { n })
    ///     .count()
    ///     .wait()?;
    /// assert_eq!(n, 9);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn map_async_partitioned_on<K, G, F, Fut>(
        self,
        scheduler: &impl Scheduler,
        concurrency: usize,
        key: G,
        f: F,
    ) -> Flow<MapAsyncPartitioned<P, G, F>>
    where
        K: Clone + Eq + Hash + Send + 'static,
        G: FnMut(&P::Item) -> K + Send + 'static,
        F: FnMut(P::Item) -> Fut + Send + 'static,
        Fut: Future<Output: Send> + Send + 'static,
    {
        check_capacity(concurrency);
        let worker = scheduler.worker();
        Flow { source: MapAsyncPartitioned { source: self.source, concurrency, key, f, worker } }
    }
}

/// Publisher returned by [`Flow::map_async_partitioned`] and its like.
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MapAsyncPartitioned<P, G, F> {
    source: P,
    concurrency: usize,
    key: G,
    f: F,
    worker: Worker,
}

impl<P, K, G, F, Fut> Publisher for MapAsyncPartitioned<P, G, F>
where
    P: Publisher<Item: Send + 'static>,
    K: Clone + Eq + Hash + Send + 'static,
    G: FnMut(&P::Item) -> K + Send + 'static,
    F: FnMut(P::Item) -> Fut + Send + 'static,
    Fut: Future<Output: Send> + Send + 'static,
{
    type Item = Fut::Output;

    fn subscribe<S: Subscriber<Fut::Output>>(self, downstream: S) {
        let Self { source, concurrency, key, f, worker } = self;
        let (entrance, inlet) = inlet(concurrency);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let waker = GateWaker::new(Weak::clone(gate));
            let source = PartitionedSource {
                inlet,
                key,
                f,
                futures: Futures::new(concurrency, waker, worker.clone()),
                running: Vec::new(),
                keys: HashMap::new(),
                finished: VecDeque::new(),
                done: VecDeque::new(),
                n_held: 0,
                n_released: 0,
            };
            (source, downstream, OnWorker::new(worker, Weak::clone(gate)))
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

opaque_debug!(MapAsyncPartitioned<P, G, F>);
backpressure!(MapAsyncPartitioned<P, G, F>, Queue, |this| this.concurrency);

struct PartitionedSource<T, K, G, F, Fut: Future> {
    inlet: Inlet<T>,
    key: G,
    f: F,
    futures: Futures<Fut>,
    /// The keys of the slots whose futures run.
    running: Vec<Option<K>>,
    /// What waits for the future that runs of its key.
    keys: HashMap<K, VecDeque<T>>,
    /// Slots whose futures are done, and whose keys are not handed on yet; empty between turns.
    finished: VecDeque<usize>,
    /// Slots with outputs, in the order of completion.
    done: VecDeque<usize>,
    /// Items that wait for their key or run, and outputs.
    n_held: usize,
    /// Places in the inlet that were given up in this turn.
    n_released: u64,
}

impl<T, K, G, F, Fut> PartitionedSource<T, K, G, F, Fut>
where
    T: Send + 'static,
    K: Clone + Eq + Hash,
    G: FnMut(&T) -> K,
    F: FnMut(T) -> Fut,
    Fut: Future,
{
    /// Starts an item if its key is free, or has it wait.
    fn admit(&mut self, item: T) {
        self.n_held += 1;
        let key = (self.key)(&item);
        if let Some(waiting) = self.keys.get_mut(&key) {
            return waiting.push_back(item);
        }
        self.keys.insert(key.clone(), VecDeque::new());
        if let Some(index) = self.start(key, item) {
            self.finish(index);
        }
    }

    /// Starts the future of an item that has its key. The slot, if it is done at once.
    fn start(&mut self, key: K, item: T) -> Option<usize> {
        let index = self.futures.add((self.f)(item));
        if self.running.len() <= index {
            self.running.resize_with(index + 1, || None);
        }
        self.running[index] = Some(key);
        self.futures.poll(index).then_some(index)
    }

    /// A future has given its output: the next item of its key is started, and so on.
    fn finish(&mut self, index: usize) {
        let mut finished = Some(index);
        while let Some(index) = finished.take() {
            self.done.push_back(index);
            let Some(key) = self.running[index].take() else { return };
            match self.keys.get_mut(&key).and_then(VecDeque::pop_front) {
                Some(item) => finished = self.start(key, item),
                None => drop(self.keys.remove(&key)),
            }
        }
    }

    fn output(&mut self) -> Option<Fut::Output> {
        let index = self.done.pop_front()?;
        let output = self.futures.take(index)?;
        self.n_held -= 1;
        self.n_released += 1;
        Some(output)
    }

    /// Asks the source for as many items as were passed on, in one request.
    fn refill(&mut self) {
        if self.n_released > 0 {
            self.inlet.request(std::mem::take(&mut self.n_released));
        }
    }

    /// Takes what waits in the inlet, which holds no more than there are places for.
    fn fill(&mut self) {
        while let Some(item) = self.inlet.take_item() {
            self.admit(item);
        }
    }
}

impl<T, K, G, F, Fut> Source for PartitionedSource<T, K, G, F, Fut>
where
    T: Send + 'static,
    K: Clone + Eq + Hash + Send + 'static,
    G: FnMut(&T) -> K + Send + 'static,
    F: FnMut(T) -> Fut + Send + 'static,
    Fut: Future<Output: Send> + Send + 'static,
{
    type Item = Fut::Output;
    const IS_WOKEN: bool = true;
    // A poll may take long.
    const CHUNK: u64 = 16;

    fn advance(&mut self) {
        let Self { futures, finished, .. } = self;
        futures.poll_ready(|index| finished.push_back(index));
        while let Some(index) = self.finished.pop_front() {
            self.finish(index);
        }
        self.fill();
    }

    fn next(&mut self) -> Step<Fut::Output> {
        self.inlet.start();
        if let Some(output) = self.output() {
            return Step::Item(output);
        }
        self.refill();
        self.fill();
        match self.output() {
            Some(output) => Step::Item(output),
            None if self.n_held > 0 => Step::Pending,
            None => self.inlet.end().map_or(Step::Pending, Step::End),
        }
    }

    fn end(&mut self) -> Option<End> {
        self.refill();
        self.fill();
        if self.n_held > 0 { None } else { self.inlet.end() }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
