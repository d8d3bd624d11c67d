//! `using_async`: a flow over a resource that futures acquire and release.

use std::{
    error, fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Context, Poll},
};

use millstream_kernel::{
    End, Upstream,
    guard::{caught, muted},
    oneshot,
};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{
    Backpressure, BackpressureKind, Bounded, Ending, Flow, from_future_on,
    ops::flatten::BATCH,
    scheduler::{self, Ambient, Scheduler, Worker},
};

/// Acquires a resource for each subscriber, and releases it when the subscriber is done, with futures that
/// are polled on the [ambient](scheduler::ambient) scheduler.
///
/// `make` makes the flow of the resource; `release` also gets to know how that flow has ended. For
/// resources that need no futures, see [`using`](crate::using).
///
/// # Demand
///
/// Starts with the downstream's first request: then the resource is acquired, and the flow is asked for
/// 32 items, and for 24 more whenever as many were passed on. Up to 32 items wait, and may do so when
/// the resource has been released.
///
/// # Termination
///
/// Completes and fails with the made flow, once the resource was released. Fails with the error of
/// `acquire`, and with that of `release` where the flow has completed. `release` is called exactly once
/// for each resource, and what it returns is polled to its end, also after a cancel:
/// [`with_released`](Flow::with_released) tells when that was. If a closure or a future panics, fails
/// with an error of kind `Panicked`.
///
/// # Examples
///
/// ```
/// use millstream::{Ending, Error};
///
/// let flow = millstream::using_async(
///     || async { Ok::<_, Error>("connection") },
///     |connection| millstream::from_iter(connection.chars()),
///     |_connection, ending| async move {
///         assert!(matches!(ending, Ending::Completed));
///         Ok::<_, Error>(())
///     },
/// );
/// assert_eq!(flow.count().wait()?, 10);
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "using_when")]
#[doc(alias = "unfold_resource_async")]
pub fn using_async<R, A, M, P, C, Acquire, Release, E, F>(
    acquire: A,
    make: M,
    release: C,
) -> Flow<UsingAsync<A, M, C>>
where
    R: Send + 'static,
    A: FnOnce() -> Acquire + Send + 'static,
    Acquire: Future<Output = Result<R, E>> + Send + 'static,
    M: FnOnce(&mut R) -> P + Send + 'static,
    P: Publisher<Item: Send + 'static>,
    C: FnOnce(R, Ending) -> Release + Send + 'static,
    Release: Future<Output = Result<(), F>> + Send + 'static,
    E: error::Error + Send + Sync + 'static,
    F: error::Error + Send + Sync + 'static,
{
    using_async_on(&scheduler::ambient(), acquire, make, release)
}

/// [`using_async`] on a worker of `scheduler`.
///
/// # Demand
///
/// As [`using_async`].
///
/// # Termination
///
/// As [`using_async`]. Fails with an error of kind `Rejected` if the scheduler was shut down; it then
/// drops a resource that it cannot release.
///
/// # Examples
///
/// ```
/// use millstream::{Error, Ending, scheduler::Pool};
///
/// let flow = millstream::using_async_on(
///     &Pool::new(1),
///     || async { Ok::<_, Error>(3) },
///     |n| millstream::range(0..*n),
///     |_n, _ending| async { Err::<(), _>(Error::message("cannot close")) },
/// );
/// assert_eq!(flow.count().wait().unwrap_err().to_string(), "cannot close");
/// ```
pub fn using_async_on<R, A, M, P, C, Acquire, Release, E, F>(
    scheduler: &impl Scheduler,
    acquire: A,
    make: M,
    release: C,
) -> Flow<UsingAsync<A, M, C>>
where
    R: Send + 'static,
    A: FnOnce() -> Acquire + Send + 'static,
    Acquire: Future<Output = Result<R, E>> + Send + 'static,
    M: FnOnce(&mut R) -> P + Send + 'static,
    P: Publisher<Item: Send + 'static>,
    C: FnOnce(R, Ending) -> Release + Send + 'static,
    Release: Future<Output = Result<(), F>> + Send + 'static,
    E: error::Error + Send + Sync + 'static,
    F: error::Error + Send + Sync + 'static,
{
    let worker = scheduler.worker();
    Flow { source: UsingAsync { acquire, make, release, worker, uses: Uses { _last: None } } }
}

impl<A, M, C> Flow<UsingAsync<A, M, C>> {
    /// The flow, and a future that is done when nothing is left to be released: no subscriber of the flow
    /// or of its clones has a resource, and none is to come, because the flow itself is gone.
    #[must_use = "the flow does nothing until subscribed to"]
    pub fn with_released(mut self) -> (Self, Released) {
        let (sender, receiver) = oneshot::channel();
        let before = std::mem::replace(&mut self.source.uses, Uses { _last: None });
        self.source.uses = Uses { _last: Some(Arc::new(Use { _sender: sender, _before: before })) };
        (self, Released(receiver))
    }
}

/// Done when a flow has nothing left to be released: see [`Flow::with_released`].
#[must_use = "futures do nothing unless awaited"]
pub struct Released(oneshot::Receiver<()>);

impl Released {
    /// Blocks this thread until then. Not for async code.
    pub fn wait(self) {
        pollster::block_on(self);
    }
}

impl Future for Released {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Nothing is ever sent: the sender is dropped.
        task::ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(())
    }
}

impl fmt::Debug for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Released").finish_non_exhaustive()
    }
}

/// Kept by everything that has a resource or may acquire one. The last to drop it reports that.
#[derive(Clone)]
struct Uses {
    _last: Option<Arc<Use>>,
}

struct Use {
    _sender: oneshot::Sender<()>,
    _before: Uses,
}

/// Publisher returned by [`using_async`] and [`using_async_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct UsingAsync<A, M, C> {
    acquire: A,
    make: M,
    release: C,
    worker: Worker,
    uses: Uses,
}

impl<R, A, M, P, C, Acquire, Release, E, F> Publisher for UsingAsync<A, M, C>
where
    R: Send + 'static,
    A: FnOnce() -> Acquire + Send + 'static,
    Acquire: Future<Output = Result<R, E>> + Send + 'static,
    M: FnOnce(&mut R) -> P + Send + 'static,
    P: Publisher<Item: Send + 'static>,
    C: FnOnce(R, Ending) -> Release + Send + 'static,
    Release: Future<Output = Result<(), F>> + Send + 'static,
    E: error::Error + Send + Sync + 'static,
    F: error::Error + Send + Sync + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { acquire, make, release, worker, uses } = self;
        let scheduler = Ambient::of(worker.clone());
        let release = move |resource, ending| -> Releasing {
            let releasing = release(resource, ending);
            Box::pin(async move { releasing.await.map_err(Error::other) })
        };
        // The resource is held from the moment it is there, also on its way to `make`.
        let holding = async move {
            let resource = acquire().await.map_err(Error::other)?;
            Ok::<_, Error>(Held { resource: Some((resource, release)), worker, uses })
        };
        let mut make = Some(make);
        let flow = from_future_on(&scheduler, holding)
            .flatten_results()
            .concat_map(move |held| UsingOne { held, make: make.take() });
        flow.subscribe(downstream);
    }
}

impl<A, M, C, Fut, R, E, P> Backpressure for UsingAsync<A, M, C>
where
    A: FnOnce() -> Fut,
    Fut: Future<Output = Result<R, E>>,
    M: FnOnce(&mut R) -> P,
    P: Backpressure,
{
    const KIND: BackpressureKind = BackpressureKind::Queue;

    /// What the flow that is made holds comes on top.
    fn max_in_flight(&self) -> u64 {
        BATCH as u64
    }
}

impl<A, M, C, Fut, R, E, P> Bounded for UsingAsync<A, M, C>
where
    A: FnOnce() -> Fut,
    Fut: Future<Output = Result<R, E>>,
    M: FnOnce(&mut R) -> P,
    P: Bounded,
{
}

opaque_debug!(UsingAsync<A, M, C>);

/// The flow over a resource that was acquired.
struct UsingOne<H, M> {
    held: H,
    /// Always there: one resource is acquired.
    make: Option<M>,
}

impl<R, M, P, C> Publisher for UsingOne<Held<R, C>, M>
where
    R: Send + 'static,
    M: FnOnce(&mut R) -> P,
    P: Publisher<Item: Send + 'static>,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { mut held, make } = self;
        let made = caught(|| Some(make?(held.resource.as_mut().map(|(resource, _)| resource)?)));
        let subscriber = UsingAsyncSubscriber { held, downstream };
        match made {
            Ok(Some(publisher)) => publisher.subscribe(subscriber),
            Ok(None) => crate::empty().subscribe(subscriber),
            Err(error) => crate::error(error).subscribe(subscriber),
        }
    }
}

struct UsingAsyncSubscriber<H, S> {
    held: H,
    downstream: S,
}

impl<T, S, R, C> Subscriber<T> for UsingAsyncSubscriber<Held<R, C>, S>
where
    T: 'static,
    S: Subscriber<T>,
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(subscription);
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        let Self { mut held, downstream } = self;
        // The flow's own error is the first one.
        held.release(Ending::Failed(error.clone()), move |_| {
            End::Failed(error).signal::<T>(downstream);
        });
    }

    fn on_complete(self) {
        let Self { mut held, downstream } = self;
        held.release(Ending::Completed, move |released| {
            End::from(released).signal::<T>(downstream);
        });
    }
}

/// A resource, and what releases it: at the latest when this is dropped.
struct Held<R, C>
where
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
{
    resource: Option<(R, C)>,
    worker: Worker,
    uses: Uses,
}

type Releasing = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl<R, C> Held<R, C>
where
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
{
    /// Has the resource released on the worker, once, and calls `then` when that was done.
    fn release(&mut self, ending: Ending, then: impl FnOnce(Result<(), Error>) + Send + 'static) {
        let Some((resource, release)) = self.resource.take() else { return };
        let releasing = async move { release(resource, ending).await };
        from_future_on(&Ambient::of(self.worker.clone()), releasing).subscribe(ReleaseSubscriber {
            then: Some(then),
            upstream: Upstream::unset(),
            _uses: self.uses.clone(),
        });
    }
}

impl<R, C> Drop for Held<R, C>
where
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
{
    fn drop(&mut self) {
        muted(|| self.release(Ending::Cancelled, drop));
    }
}

/// Waits for a resource to be released.
struct ReleaseSubscriber<G> {
    then: Option<G>,
    /// Keeps the future: nobody else does.
    upstream: Upstream,
    _uses: Uses,
}

impl<G> Subscriber<Result<(), Error>> for ReleaseSubscriber<G>
where
    G: FnOnce(Result<(), Error>) + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            subscription.request(1);
        }
    }

    fn on_next(&mut self, released: Result<(), Error>) {
        let offer = self.offer(released);
        self.upstream.settle(offer);
    }

    fn offer(&mut self, released: Result<(), Error>) -> Offer {
        if let Some(then) = self.then.take() {
            then(released);
        }
        Offer::Finished
    }

    fn on_error(mut self, error: Error) {
        // The release panicked, or the scheduler has stopped.
        if let Some(then) = self.then.take() {
            then(Err(error));
        }
    }

    fn on_complete(self) {}
}
