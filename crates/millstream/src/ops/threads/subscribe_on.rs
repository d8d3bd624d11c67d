//! `subscribe_on`: subscription and requests on another thread.

use std::{
    marker::PhantomData,
    sync::{Arc, Weak},
};

use millstream_kernel::{
    Deferred, End, Job, Pending, Slot, Task,
    guard::{caught, muted},
};
use parking_lot::Mutex;
use reactive_streams::{Error, ErrorKind, Offer, Publisher, Subscriber, Subscription};

use crate::{
    Context, Flow,
    parts::downstream::Downstream,
    scheduler::{Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Subscribes to the source, and asks it for items, on a worker of `scheduler`.
    ///
    /// A source that works on the thread that asks, such as an iterator or a file, then works
    /// there.
    ///
    /// # Demand
    ///
    /// Passed on unchanged, on the worker. A request from the worker itself is passed on at once.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. Fails with an error of kind `Rejected` if the scheduler
    /// was shut down. A cancel is passed on at once, from any thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    /// use millstream::scheduler::Pool;
    ///
    /// let here = thread::current().id();
    /// let there = millstream::from_fn(|| thread::current().id())
    ///     .subscribe_on(&Pool::new(1))
    ///     .first()
    ///     .wait()?;
    /// assert_ne!(there, Some(here));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn subscribe_on(self, scheduler: &impl Scheduler) -> Flow<SubscribeOn<P>> {
        Flow { source: SubscribeOn { source: self.source, worker: scheduler.worker() } }
    }
}

/// Publisher returned by [`Flow::subscribe_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct SubscribeOn<P> {
    source: P,
    worker: Worker,
}

impl<P> Publisher for SubscribeOn<P>
where
    P: Publisher + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, mut downstream: S) {
        let line = Arc::new_cyclic(|line| SubscribeOnSubscription {
            upstream: Deferred::new(),
            pending: Pending::promised(),
            lost: Pending::new(),
            worker: self.worker,
            start: Mutex::new(None),
            line: Weak::clone(line),
        });
        let subscription = Arc::clone(&line) as Arc<dyn Subscription>;
        if let Err(error) = caught(|| downstream.on_subscribe(subscription)) {
            return downstream.on_error(error);
        }
        let ends = Slot::new((self.source, downstream));
        let context = Context::current();
        let start = Arc::new(Start { ends, line: Arc::clone(&line), context });
        let release: Weak<dyn Release> = Arc::downgrade(&(Arc::clone(&start) as Arc<dyn Release>));
        *line.start.lock() = Some(release);
        if line.upstream.is_canceled() {
            // It came before there was anything to find.
            return start.release();
        }
        line.worker.schedule(Job::new(start));
    }
}

opaque_debug!(SubscribeOn<P>);
backpressure!(SubscribeOn<P>, PassThrough);

/// The task that subscribes.
struct Start<P, S> {
    ends: Slot<(P, S)>,
    line: Arc<SubscribeOnSubscription>,
    context: Context,
}

/// Lets go of the source and the downstream of a subscription that has not begun.
trait Release: Send + Sync {
    fn release(&self);
}

impl<P, S> Release for Start<P, S>
where
    P: Publisher + Send + 'static,
    S: Subscriber<P::Item>,
{
    fn release(&self) {
        muted(|| drop(self.ends.take()));
    }
}

impl<P, S> Task for Start<P, S>
where
    P: Publisher + Send + 'static,
    S: Subscriber<P::Item>,
{
    fn run(&self) {
        if let Some((source, downstream)) = self.ends.take()
            && !self.line.upstream.is_canceled()
        {
            let line = Arc::clone(&self.line);
            let downstream = Downstream::new(downstream);
            let subscriber = SubscribeOnSubscriber { downstream, line, item: PhantomData };
            self.context.within(|| source.subscribe(subscriber));
        }
    }

    fn abandon(&self, error: Error) {
        if let Some((_, downstream)) = self.ends.take()
            && !self.line.upstream.is_canceled()
        {
            downstream.on_error(error);
        }
    }
}

struct SubscribeOnSubscriber<T, S: Subscriber<T>> {
    downstream: Downstream<S>,
    line: Arc<SubscribeOnSubscription>,
    item: PhantomData<fn(T)>,
}

impl<T: 'static, S: Subscriber<T>> Subscriber<T> for SubscribeOnSubscriber<T, S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.line.upstream.set(subscription);
        // What was asked for until now, unless it was sent ahead.
        self.line.run();
        if self.line.is_lost() {
            self.line.upstream.cancel();
        }
    }

    #[inline]
    fn initial_request(&mut self) -> u64 {
        // A cancel, or a request for nothing, is for the subscription to answer.
        if self.line.upstream.is_fresh() { self.line.pending.take() } else { 0 }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let answer = self.downstream.offer(item);
        if self.line.upstream.is_disturbed() { self.interrupt() } else { answer }
    }

    fn on_error(mut self, error: Error) {
        let _ended = self.downstream.end(End::Failed(error));
    }

    fn on_complete(mut self) {
        let _ended = self.downstream.end(End::Complete);
    }
}

impl<T, S: Subscriber<T>> SubscribeOnSubscriber<T, S> {
    /// Stops a source that sends ahead of its subscription, which could not be told.
    #[cold]
    fn interrupt(&mut self) -> Offer {
        if self.line.upstream.is_canceled() {
            return Offer::Finished;
        }
        self.downstream.end(End::Failed(Error::illegal_request()))
    }
}

impl<T, S: Subscriber<T>> Drop for SubscribeOnSubscriber<T, S> {
    fn drop(&mut self) {
        // The source was canceled because demand was lost, and not by the downstream.
        if self.line.is_lost() {
            let _ended = self.downstream.end(End::Failed(stopped()));
        }
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Rejected, "the scheduler stopped before a request got to its worker")
}

/// Takes requests to the worker; they add up on their way.
struct SubscribeOnSubscription {
    upstream: Deferred,
    pending: Pending,
    /// Demand that never got to the worker, because that had stopped.
    lost: Pending,
    worker: Worker,
    /// What waits for the worker, for a cancel that comes before.
    start: Mutex<Option<Weak<dyn Release>>>,
    line: Weak<Self>,
}

impl Subscription for SubscribeOnSubscription {
    fn request(&self, n: u64) {
        if n == 0 || self.worker.is_current() {
            return self.upstream.request(n);
        }
        if self.pending.add(n)
            && let Some(line) = self.line.upgrade()
        {
            self.worker.schedule(Job::new(line));
        }
    }

    fn cancel(&self) {
        self.upstream.cancel();
        let start = self.start.lock().take();
        if let Some(start) = start.and_then(|start| start.upgrade()) {
            start.release();
        }
    }
}

impl SubscribeOnSubscription {
    /// Whether demand was lost, of a stream that nobody had canceled.
    fn is_lost(&self) -> bool {
        self.lost.is_pending()
    }
}

impl Task for SubscribeOnSubscription {
    fn run(&self) {
        match self.pending.take() {
            0 => {}
            n => self.upstream.request(n),
        }
    }

    fn abandon(&self, _: Error) {
        // Before the subscription, `Start` tells the subscriber. Afterwards the subscriber is the
        // source's: `cancel` makes the source drop it, and its drop tells the downstream. While
        // `Start` is at it, either this sees the subscription, or `on_subscribe` sees what was
        // lost.
        if self.upstream.is_canceled() {
            return;
        }
        let n = self.pending.take();
        if n > 0 && self.lost.add(n) && self.upstream.is_set() {
            self.upstream.cancel();
        }
    }
}
