//! `create`: items that a future sends.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    hub::{self, Places, Producer},
    parts::{inlet::check_capacity, outlet::Outlet},
    scheduler::{self, GateWaker, OnWorker, Scheduler, Worker},
};

/// The items that a future sends: `f` makes it of the [`Emitter`] to send them by.
///
/// An asynchronous generator: loops, branches and `?` in place of a state machine.
/// The future runs on the
/// [ambient](scheduler::ambient) scheduler, and sends by `out.send(item).await`, which waits for a place;
/// the emitter may also go to a task or thread of its own, as long as the future waits for that.
/// For a producer that is there before the flow, see [`hub::unicast`](crate::hub::unicast).
///
/// # Demand
///
/// `f` is called with the downstream's first request.
/// From then on one item waits for its demand, so that the future is at most that far ahead;
/// [`capacity`](Flow::capacity) sets another bound.
///
/// # Termination
///
/// Ends when the future does: completes with `()` or `Ok`, and fails with an `Err`, after the items
/// that were sent. If `f` or the future panics, fails with an error of kind `Panicked`.
/// A cancel drops the future where it stands.
///
/// # Examples
///
/// ```
/// use millstream::{Error, create};
///
/// let pages = create(|mut out| async move {
///     let mut next = Some(0);
///     while let Some(page) = next {
///         for n in 10 * page..10 * page + 3 {
///             out.send(n).await?;
///         }
///         next = (page < 2).then_some(page + 1);
///     }
///     Ok::<_, Error>(())
/// });
/// assert_eq!(pages.take(5).collect::<Vec<_>>().wait()?, [0, 1, 2, 10, 11]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "generator")]
#[doc(alias = "channel_flow")]
#[doc(alias = "stream!")]
pub fn create<T, F, Fut>(f: F) -> Flow<Create<T, F>>
where
    T: Send + 'static,
    F: FnOnce(Emitter<T>) -> Fut + Send + 'static,
    Fut: Future<Output: IntoEnd> + Send + 'static,
{
    create_on(&scheduler::ambient(), f)
}

/// [`create`] on a worker of `scheduler`.
///
/// # Demand
///
/// As [`create`].
///
/// # Termination
///
/// As [`create`]; fails with an error of kind `Rejected` if the scheduler was shut down.
///
/// # Examples
///
/// ```
/// use millstream::{create_on, scheduler::Pool};
///
/// let flow = create_on(&Pool::new(1), |mut out| async move {
///     let _sent = out.send("here").await;
/// });
/// assert_eq!(flow.first().wait()?, Some("here"));
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn create_on<T, F, Fut>(scheduler: &impl Scheduler, f: F) -> Flow<Create<T, F>>
where
    T: Send + 'static,
    F: FnOnce(Emitter<T>) -> Fut + Send + 'static,
    Fut: Future<Output: IntoEnd> + Send + 'static,
{
    Flow { source: Create { f, worker: scheduler.worker(), capacity: 1, items: PhantomData } }
}

impl<T, F> Flow<Create<T, F>> {
    /// Lets up to `n` items wait for their demand. Default: 1.
    ///
    /// # Demand
    ///
    /// The future is at most `n` items ahead.
    ///
    /// # Termination
    ///
    /// Unchanged.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Backpressure, create};
    ///
    /// let flow = create(|mut out| async move { out.send(1).await }).capacity(8);
    /// assert_eq!(flow.max_in_flight(), 8);
    /// ```
    #[track_caller]
    pub fn capacity(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.capacity = n;
        self
    }
}

/// By which the future of [`create`] sends. There is one: its methods take `&mut self`.
#[must_use = "a future that drops its emitter sends nothing more"]
pub struct Emitter<T>(Producer<T>);

impl<T> Emitter<T> {
    /// Sends `item` as soon as there is a place for it.
    ///
    /// # Errors
    ///
    /// Of kind `Disconnected` if the flow was canceled or has ended, which a future that sends for
    /// itself never sees, because it is dropped. [`into_producer`](Self::into_producer) has a way
    /// that gives the item back.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has not sent the item, and drops it.
    pub async fn send(&mut self, item: T) -> Result<(), Error> {
        self.0
            .send(item)
            .await
            .map_err(|_| Error::new(ErrorKind::Disconnected, "the flow takes no more items"))
    }

    /// Returns the producer inside, which can also try, reserve a place, and block.
    ///
    /// Ended by [`complete`](Producer::complete) or [`fail`](Producer::fail), it ends nothing: the
    /// future does.
    pub fn into_producer(self) -> Producer<T> {
        self.0
    }
}

opaque_debug!(Emitter<T>);

/// What the future of [`create`] ends with: `()`, or a `Result`.
pub trait IntoEnd: sealed::Sealed {
    /// Returns the error with which the flow fails, if it does.
    ///
    /// # Errors
    ///
    /// That with which the flow fails.
    fn into_end(self) -> Result<(), Error>;
}

impl IntoEnd for () {
    fn into_end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl IntoEnd for Result<(), Error> {
    fn into_end(self) -> Self {
        self
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl Sealed for Result<(), reactive_streams::Error> {}
}

/// Publisher returned by [`create`] and [`create_on`].
#[must_use = "publishers do nothing until subscribed to"]
pub struct Create<T, F> {
    f: F,
    worker: Worker,
    capacity: usize,
    items: PhantomData<fn() -> T>,
}

impl<T, F: Clone> Clone for Create<T, F> {
    fn clone(&self) -> Self {
        let (f, worker) = (self.f.clone(), self.worker.clone());
        Self { f, worker, capacity: self.capacity, items: PhantomData }
    }
}

impl<T, F, Fut> Publisher for Create<T, F>
where
    T: Send + 'static,
    F: FnOnce(Emitter<T>) -> Fut + Send + 'static,
    Fut: Future<Output: IntoEnd> + Send + 'static,
{
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let Self { f, worker, capacity, .. } = self;
        let (producer, flow) = hub::unicast(capacity);
        let (outlet, listener) = flow.source.into_parts();
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let waker = Waker::from(Arc::new(GateWaker::new(Weak::clone(gate))));
            let stage = Stage::Fresh(f, Emitter(producer));
            (
                CreateSource { outlet, stage, is_polled: false, waker },
                downstream,
                OnWorker::new(worker, Weak::clone(gate)),
            )
        });
        listener.set(gate);
    }
}

impl<T, F> Backpressure for Create<T, F> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.capacity as u64
    }
}

impl<T, F> Bounded for Create<T, F> {}
opaque_debug!(Create<T, F>);

struct CreateSource<T, F, Fut> {
    outlet: Outlet<T, Places>,
    stage: Stage<T, F, Fut>,
    /// Whether the future was polled since a place was given back.
    is_polled: bool,
    waker: Waker,
}

enum Stage<T, F, Fut> {
    /// Nothing was asked for.
    Fresh(F, Emitter<T>),
    Running(Pin<Box<Fut>>),
    /// How the future ended; what it sent comes before.
    Done(End),
    /// The end was given.
    Over,
}

impl<T, F, Fut> CreateSource<T, F, Fut>
where
    T: Send + 'static,
    F: FnOnce(Emitter<T>) -> Fut,
    Fut: Future<Output: IntoEnd>,
{
    /// Has the future go on. Returns whether it had anything to do.
    fn run(&mut self) -> bool {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Fresh(f, emitter) => Stage::Running(Box::pin(f(emitter))),
            stage => stage,
        };
        let Stage::Running(future) = &mut self.stage else { return false };
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
            self.stage = Stage::Done(End::from(output.into_end()));
        }
        true
    }

    /// The next item that was sent. A producer that is gone is no end.
    fn take(&mut self) -> Option<T> {
        match Source::next(&mut self.outlet) {
            Step::Item(item) => Some(item),
            Step::Pending | Step::End(_) => None,
        }
    }

    fn finish(&mut self) -> Option<End> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Done(end) => Some(end),
            stage => {
                self.stage = stage;
                None
            }
        }
    }
}

impl<T, F, Fut> Source for CreateSource<T, F, Fut>
where
    T: Send + 'static,
    F: FnOnce(Emitter<T>) -> Fut + Send + 'static,
    Fut: Future<Output: IntoEnd> + Send + 'static,
{
    type Item = T;
    const IS_WOKEN: bool = true;
    // A poll may take long.
    const CHUNK: u64 = 8;

    /// It goes on without demand, as long as there are places.
    fn advance(&mut self) {
        if let Stage::Running(_) = &self.stage {
            self.is_polled = self.run();
        }
    }

    fn next(&mut self) -> Step<T> {
        if let Some(item) = self.take() {
            // There is a place.
            self.is_polled = false;
            return Step::Item(item);
        }
        if !self.is_polled
            && self.run()
            && let Some(item) = self.take()
        {
            return Step::Item(item);
        }
        // All that it sent before its end was taken.
        self.finish().map_or(Step::Pending, Step::End)
    }

    fn end(&mut self) -> Option<End> {
        let Stage::Done(_) = &self.stage else { return None };
        // Of an emitter that went elsewhere nothing is known before an item is asked for.
        let _drained = Source::end(&mut self.outlet)?;
        self.finish()
    }
}
