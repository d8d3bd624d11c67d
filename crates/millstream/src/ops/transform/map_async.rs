//! `map_async`: turns each item into a future's output, several at a time.
//!
//! # Invariants
//!
//! 1. `n_busy` slots are not idle. In the order of the source, these are in `running`.
//! 2. The items asked of the source, waiting in the inlet or in a busy slot are at most as many as
//!    there are slots.

use std::{
    collections::VecDeque,
    future::Future,
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

/// In which order [`Flow::map_async_on`] passes outputs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// That of the items. A future that takes long holds back the outputs after it.
    Source,
    /// That in which the futures are done.
    Completion,
}

impl<P: Publisher> Flow<P> {
    /// Turns each item into a future, runs up to `concurrency` of them at a time, and passes their
    /// outputs on in the order of the items.
    ///
    /// The futures are polled on the [ambient](scheduler::ambient) scheduler, also while the
    /// downstream is busy or wants nothing. For futures that may fail, see
    /// [`flatten_results`](Self::flatten_results).
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `concurrency` items are asked for, and one
    /// more for each output that was passed on. At most `concurrency` items and outputs are held.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last output; fails with the source, after the outputs of
    /// the items before. A cancel drops the futures.
    /// If a future or `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Panics
    ///
    /// Unless `concurrency` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// let squares = millstream::range(1..=3).map_async(2, |n| async move { n * n });
    /// assert_eq!(squares.collect::<Vec<_>>().wait()?, [1, 4, 9]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "buffered")]
    #[doc(alias = "then")]
    #[track_caller]
    pub fn map_async<F, Fut>(self, concurrency: usize, f: F) -> Flow<MapAsync<P, F>>
    where
        F: FnMut(P::Item) -> Fut + Send + 'static,
        Fut: Future<Output: Send> + Send + 'static,
    {
        self.map_async_on(&scheduler::ambient(), concurrency, Order::Source, f)
    }

    /// [`map_async`](Self::map_async), in the order in which the futures are done.
    ///
    /// # Demand
    ///
    /// As [`map_async`](Self::map_async).
    ///
    /// # Termination
    ///
    /// As [`map_async`](Self::map_async).
    ///
    /// # Panics
    ///
    /// Unless `concurrency` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// let squares = millstream::range(1..=3).map_async_unordered(2, |n| async move { n * n });
    /// assert_eq!(squares.fold(0, |sum, n| sum + n).wait()?, 14);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "buffer_unordered")]
    #[track_caller]
    pub fn map_async_unordered<F, Fut>(self, concurrency: usize, f: F) -> Flow<MapAsync<P, F>>
    where
        F: FnMut(P::Item) -> Fut + Send + 'static,
        Fut: Future<Output: Send> + Send + 'static,
    {
        self.map_async_on(&scheduler::ambient(), concurrency, Order::Completion, f)
    }

    /// [`map_async`](Self::map_async) on a worker of `scheduler`, in the given order.
    ///
    /// # Demand
    ///
    /// As [`map_async`](Self::map_async).
    ///
    /// # Termination
    ///
    /// As [`map_async`](Self::map_async); fails with an error of kind `Rejected` if the scheduler
    /// was shut down.
    ///
    /// # Panics
    ///
    /// Unless `concurrency` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Order, scheduler::Pool};
    ///
    /// let n = millstream::range(0..9)
    ///     .map_async_on(&Pool::new(1), 3, Order::Completion, |n| async move { n })
    ///     .count()
    ///     .wait()?;
    /// assert_eq!(n, 9);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn map_async_on<F, Fut>(
        self,
        scheduler: &impl Scheduler,
        concurrency: usize,
        order: Order,
        f: F,
    ) -> Flow<MapAsync<P, F>>
    where
        F: FnMut(P::Item) -> Fut + Send + 'static,
        Fut: Future<Output: Send> + Send + 'static,
    {
        check_capacity(concurrency);
        let worker = scheduler.worker();
        Flow { source: MapAsync { source: self.source, f, worker, concurrency, order } }
    }
}

/// Publisher returned by [`Flow::map_async`] and its like.
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MapAsync<P, F> {
    source: P,
    f: F,
    worker: Worker,
    concurrency: usize,
    order: Order,
}

impl<P, F, Fut> Publisher for MapAsync<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> Fut + Send + 'static,
    Fut: Future<Output: Send> + Send + 'static,
{
    type Item = Fut::Output;

    fn subscribe<S: Subscriber<Fut::Output>>(self, downstream: S) {
        let (entrance, inlet) = inlet(self.concurrency);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let waker = GateWaker::new(Weak::clone(gate));
            let source = MapAsyncSource {
                inlet,
                f: self.f,
                futures: Futures::new(self.concurrency, waker, self.worker.clone()),
                done: VecDeque::new(),
                running: VecDeque::new(),
                n_busy: 0,
                n_released: 0,
                concurrency: self.concurrency,
                order: self.order,
            };
            (source, downstream, OnWorker::new(self.worker, Weak::clone(gate)))
        });
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

opaque_debug!(MapAsync<P, F>);
backpressure!(MapAsync<P, F>, Queue, |this| this.concurrency);

struct MapAsyncSource<T, F, Fut: Future> {
    inlet: Inlet<T>,
    f: F,
    futures: Futures<Fut>,
    /// Slots with outputs, in the order of completion; unused for the source's order.
    done: VecDeque<usize>,
    /// Busy slots in the source's order; unused for the order of completion.
    running: VecDeque<usize>,
    n_busy: usize,
    /// Places in the inlet that were given up in this turn.
    n_released: u64,
    concurrency: usize,
    order: Order,
}

impl<T, F, Fut> MapAsyncSource<T, F, Fut>
where
    T: Send + 'static,
    F: FnMut(T) -> Fut,
    Fut: Future,
{
    /// Starts the future of an item.
    fn start(&mut self, item: T) {
        let index = self.futures.add((self.f)(item));
        self.n_busy += 1;
        if self.order == Order::Source {
            self.running.push_back(index);
        }
        if self.futures.poll(index) && self.order == Order::Completion {
            self.done.push_back(index);
        }
    }

    /// Takes the next output, if it is there.
    fn output(&mut self) -> Option<Fut::Output> {
        let line = match self.order {
            Order::Source => &mut self.running,
            Order::Completion => &mut self.done,
        };
        let output = self.futures.take(*line.front()?)?;
        line.pop_front();
        self.n_busy -= 1;
        self.n_released += 1;
        Some(output)
    }

    /// Asks the source for as many items as were passed on, in one request.
    fn refill(&mut self) {
        if self.n_released > 0 {
            self.inlet.request(std::mem::take(&mut self.n_released));
        }
    }

    /// Starts what waits in the inlet.
    fn fill(&mut self) {
        while self.n_busy < self.concurrency {
            let Some(item) = self.inlet.take_item() else { return };
            self.start(item);
        }
    }
}

impl<T, F, Fut> Source for MapAsyncSource<T, F, Fut>
where
    T: Send + 'static,
    F: FnMut(T) -> Fut + Send + 'static,
    Fut: Future<Output: Send> + Send + 'static,
{
    type Item = Fut::Output;
    const IS_WOKEN: bool = true;
    // A poll may take long.
    const CHUNK: u64 = 16;

    fn advance(&mut self) {
        let Self { futures, done, order, .. } = self;
        futures.poll_ready(|index| {
            if *order == Order::Completion {
                done.push_back(index);
            }
        });
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
            None if self.n_busy > 0 => Step::Pending,
            None => self.inlet.end().map_or(Step::Pending, Step::End),
        }
    }

    fn end(&mut self) -> Option<End> {
        self.refill();
        self.fill();
        if self.n_busy > 0 { None } else { self.inlet.end() }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
