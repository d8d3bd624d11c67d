//! `Fetch`: sources that ask another system for as many items as are asked of them.
//!
//! A gate asks its source for one item at a time. What fetches from elsewhere has to know how many
//! are wanted in all, and here that is counted: what is requested, less what was passed on.

use std::{
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use millstream::{
    Error, Offer, Subscriber, Subscription,
    parts::{GateWaker, OnWorker},
    scheduler::Worker,
};
use millstream_kernel::{End, Gate, Pending, Source, Step, Wake};

/// Items of another system, fetched as they are wanted. What connectors implement.
pub trait Fetch: Send + 'static {
    /// What is fetched.
    type Item: Send + 'static;

    /// The next item. Called only while one is wanted, on the worker of the flow.
    ///
    /// `wanted` is what was asked for and not passed on, and at least 1; `u64::MAX` is without
    /// bound. What is fetched ahead, and what the other system was asked for, is to be no more.
    ///
    /// # Errors
    ///
    /// The flow fails with it, and this is dropped.
    fn poll_next(&mut self, cx: &mut Context<'_>, wanted: u64) -> Poll<Result<Self::Item, Error>>;
}

/// Subscribes `downstream` to what is fetched on `worker`; `make` gets what wakes it.
///
/// After a cancel, an end or a panic, what was made is dropped: its drop gives back what was
/// fetched and not passed on.
///
/// ```
/// use std::task::{Context, Poll};
/// use millstream::{Error, scheduler::{Scheduler as _, VirtualTime}};
/// use millstream_pressure::{Fetch, fetch_into};
/// use millstream_testkit::Probe;
///
/// /// Says how many are wanted.
/// struct Wanted;
///
/// impl Fetch for Wanted {
///     type Item = u64;
///     fn poll_next(&mut self, _: &mut Context<'_>, wanted: u64) -> Poll<Result<u64, Error>> {
///         Poll::Ready(Ok(wanted))
///     }
/// }
///
/// let time = VirtualTime::new();
/// let (probe, subscriber) = Probe::new();
/// fetch_into(subscriber, time.worker(), |_| Wanted);
/// probe.request(3);
/// time.run();
/// assert_eq!(probe.items(), [3, 2, 1]);
/// ```
pub fn fetch_into<F, S>(downstream: S, worker: Worker, make: impl FnOnce(&Weak<dyn Wake>) -> F)
where
    F: Fetch,
    S: Subscriber<F::Item>,
{
    let asked = Arc::new(Pending::new());
    let downstream = Counting { downstream, asked: Arc::clone(&asked) };
    Gate::start_with(|gate: &Weak<Gate<_, _, _>>| {
        let wakes: Weak<dyn Wake> = Weak::clone(gate) as Weak<dyn Wake>;
        let waker = Waker::from(Arc::new(GateWaker::new(Weak::clone(gate))));
        let source = FetchSource { fetch: make(&wakes), asked, wanted: 0, waker };
        (source, downstream, OnWorker::new(worker, Weak::clone(gate)))
    });
}

struct FetchSource<F> {
    fetch: F,
    /// What was requested and is not yet in `wanted`.
    asked: Arc<Pending>,
    wanted: u64,
    waker: Waker,
}

impl<F: Fetch> Source for FetchSource<F> {
    type Item = F::Item;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    fn next(&mut self) -> Step<F::Item> {
        self.wanted = self.wanted.saturating_add(self.asked.take());
        let cx = &mut Context::from_waker(&self.waker);
        match self.fetch.poll_next(cx, self.wanted) {
            Poll::Pending => Step::Pending,
            Poll::Ready(Ok(item)) => {
                if self.wanted != u64::MAX {
                    self.wanted = self.wanted.saturating_sub(1);
                }
                Step::Item(item)
            }
            Poll::Ready(Err(error)) => Step::End(End::Failed(error)),
        }
    }
}

/// Counts what is requested before the gate hears of it.
struct Counting<S> {
    downstream: S,
    asked: Arc<Pending>,
}

struct CountedSubscription {
    gate: Arc<dyn Subscription>,
    asked: Arc<Pending>,
}

impl Subscription for CountedSubscription {
    fn request(&self, n: u64) {
        if n > 0 {
            // The gate's turn takes it.
            let _is_first = self.asked.add(n);
        }
        self.gate.request(n);
    }

    fn cancel(&self) {
        self.gate.cancel();
    }
}

impl<T, S> Subscriber<T> for Counting<S>
where
    T: Send + 'static,
    S: Subscriber<T>,
{
    millstream::forward!(on_error, on_complete);

    fn on_subscribe(&mut self, gate: Arc<dyn Subscription>) {
        let asked = Arc::clone(&self.asked);
        self.downstream.on_subscribe(Arc::new(CountedSubscription { gate, asked }));
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let offer = self.downstream.offer(item);
        if offer == Offer::Skipped {
            // It used no demand of the gate's, and so none here.
            let _is_first = self.asked.add(1);
        }
        offer
    }
}
