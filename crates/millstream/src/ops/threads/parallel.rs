//! `parallel`, `parallel_map`: work on several processors.

use millstream_kernel::guard::caught;
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow, Part, PublishOn, error, interleave, merge,
    ops::context::in_this_context,
    parts::{fan_in::PREFETCH, inlet::check_parts},
    scheduler::{Ambient, Scheduler, Worker},
};

/// Items that wait for each worker, before it and behind it.
const AHEAD: usize = 16;

impl<P: Publisher> Flow<P> {
    /// Deals the items out to `n` workers of `scheduler`, on each of which the flow that `f` makes
    /// of its share runs, and passes on what they give, as it comes.
    ///
    /// An item goes to a worker that has room, so that one that is slow gets fewer.
    /// The closures that are to run there belong into `f`.
    /// Where each item becomes one other and the order matters, see
    /// [`parallel_map`](Self::parallel_map); for futures, [`map_async`](Self::map_async).
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request. Up to 16 items wait before the workers, 32 for
    /// each of them, and 32 items of each behind it; the source is asked for as many as there is
    /// room for.
    ///
    /// # Termination
    ///
    /// Completes when the source has and all workers are done; fails with the first of their flows
    /// that fails, or with the source, after the items that a worker has got.
    /// A cancel reaches the source and all workers. If `f`, or something on a worker, panics, fails
    /// with an error of kind `Panicked`. Fails with an error of kind `Rejected` if the scheduler
    /// was shut down.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=65_536`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{range, scheduler::Pool};
    ///
    /// let pool = Pool::new(2);
    /// let primes = range(2..1_000_u64).parallel(&pool, 2, |share| {
    ///     share.filter(|n| (2..*n).all(|d| n % d != 0))
    /// });
    /// assert_eq!(primes.count().wait()?, 168);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "run_on")]
    #[doc(alias = "rails")]
    #[track_caller]
    pub fn parallel<Q, F>(self, scheduler: &impl Scheduler, n: usize, f: F) -> Flow<Parallel<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(Flow<PublishOn<Part<P::Item>>>) -> Flow<Q> + Send + 'static,
        Q: Publisher,
    {
        check_parts(n);
        let workers = (0..n).map(|_| scheduler.worker()).collect();
        Flow { source: Parallel { source: self.source, workers, f } }
    }

    /// Turns each item into another on one of `n` workers of `scheduler`, and passes them on in
    /// order.
    ///
    /// The workers get an item each in turn, and each has a clone of `f`: for work that takes about
    /// the same time for every item. Where the order does not matter, [`parallel`](Self::parallel)
    /// evens out what does not.
    ///
    /// # Demand
    ///
    /// As [`parallel`](Self::parallel).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the outputs of the items before.
    /// A cancel reaches the source and all workers. If `f` panics, fails with an error of kind
    /// `Panicked`, after the outputs of the items before.
    /// Fails with an error of kind `Rejected` if the scheduler was shut down.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=65_536`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{range, scheduler::Pool};
    ///
    /// let squares = range(0..5_u64).parallel_map(&Pool::new(2), 2, |n| n * n);
    /// assert_eq!(squares.collect::<Vec<_>>().wait()?, [0, 1, 4, 9, 16]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "par_map")]
    #[track_caller]
    pub fn parallel_map<U, F>(
        self,
        scheduler: &impl Scheduler,
        n: usize,
        f: F,
    ) -> Flow<ParallelMap<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(P::Item) -> U + Clone + Send + 'static,
        U: Send + 'static,
    {
        check_parts(n);
        let workers = (0..n).map(|_| scheduler.worker()).collect();
        Flow { source: ParallelMap { source: self.source, workers, f } }
    }
}

/// Publisher returned by [`Flow::parallel`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Parallel<P, F> {
    source: P,
    workers: Vec<Worker>,
    f: F,
}

/// Publisher returned by [`Flow::parallel_map`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ParallelMap<P, F> {
    source: P,
    workers: Vec<Worker>,
    f: F,
}

impl<P, Q, F> Publisher for Parallel<P, F>
where
    P: Publisher<Item: Send + 'static> + Send + 'static,
    F: FnMut(Flow<PublishOn<Part<P::Item>>>) -> Flow<Q> + Send + 'static,
    Q: Publisher<Item: Send + 'static>,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let Self { source, workers, mut f } = self;
        let source = in_this_context(source);
        let parts = Flow { source }.balance(workers.len(), AHEAD).into_iter().zip(workers);
        let flows =
            parts.map(|(part, worker)| f(part.publish_on(&Ambient::of(worker)).capacity(AHEAD)));
        match caught(|| flows.collect::<Vec<_>>()) {
            Ok(flows) => merge(flows).subscribe(downstream),
            Err(panicked) => error(panicked).subscribe(downstream),
        }
    }
}

impl<P, U, F> Publisher for ParallelMap<P, F>
where
    P: Publisher<Item: Send + 'static> + Send + 'static,
    F: FnMut(P::Item) -> U + Clone + Send + 'static,
    U: Send + 'static,
{
    type Item = U;

    fn subscribe<S: Subscriber<U>>(self, downstream: S) {
        let Self { source, workers, f } = self;
        let n = workers.len();
        let mut next = n - 1;
        let in_turn = move |_: &P::Item| {
            next = (next + 1) % n;
            next
        };
        let source = in_this_context(source);
        let parts = Flow { source }.partition(n, AHEAD, in_turn).into_iter().zip(workers);
        let flows = parts.map(|(part, worker)| {
            part.publish_on(&Ambient::of(worker)).capacity(AHEAD).map(f.clone())
        });
        interleave(flows, 1).subscribe(downstream);
    }
}

/// What waits before the workers, for each of them, and behind it.
fn n_held(n: usize) -> u64 {
    let each = 2 * AHEAD + PREFETCH;
    (AHEAD as u64).saturating_add((each as u64).saturating_mul(n as u64))
}

impl<P: Backpressure, F> Backpressure for Parallel<P, F> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.source.max_in_flight().saturating_add(n_held(self.workers.len()))
    }
}

impl<P: Backpressure, F> Backpressure for ParallelMap<P, F> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.source.max_in_flight().saturating_add(n_held(self.workers.len()))
    }
}

impl<P: Bounded, F> Bounded for ParallelMap<P, F> {}
opaque_debug!(Parallel<P, F>);
opaque_debug!(ParallelMap<P, F>);
