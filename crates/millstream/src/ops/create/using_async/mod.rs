//! `using_async`: a flow over a resource that futures acquire and release.

mod held;

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

use self::held::{Held, Releasing, Use, Uses};
use crate::{
    Backpressure, BackpressureKind, Bounded, Ending, Flow, from_future_on,
    parts::fan_in::PREFETCH,
    scheduler::{self, Ambient, Scheduler, Worker},
};

/// Acquires a resource for each subscriber, and releases it when the subscriber is done, with
/// futures that are polled on the [ambient](scheduler::ambient) scheduler.
///
/// `make` makes the flow of the resource; `release` also gets to know how that flow has ended. For
/// resources that need no futures, see [`using`](crate::using).
///
/// # Demand
///
/// Starts with the downstream's first request: then the resource is acquired, and the flow is asked
/// for 32 items, and for 24 more whenever as many were passed on.
/// Up to 32 items wait, and may do so when the resource has been released.
///
/// # Termination
///
/// Completes and fails with the made flow, once the resource was released. Fails with the error of
/// `acquire`, and with that of `release` where the flow has completed.
/// `release` is called exactly once for each resource, and what it returns is polled to its end,
/// also after a cancel:
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
/// As [`using_async`]. Fails with an error of kind `Rejected` if the scheduler was shut down; it
/// then drops a resource that it cannot release.
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
    /// The flow, and a future that is done when nothing is left to be released: no subscriber of
    /// the flow or of its clones has a resource, and none is to come, because the flow itself is
    /// gone.
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
        PREFETCH as u64
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
        let (upstream, downstream) = (Upstream::unset(), Some(downstream));
        let subscriber = UsingAsyncSubscriber { held, upstream, downstream, is_finished: false };
        match made {
            Ok(Some(publisher)) => publisher.subscribe(subscriber),
            Ok(None) => crate::empty().subscribe(subscriber),
            Err(error) => crate::error(error).subscribe(subscriber),
        }
    }
}

struct UsingAsyncSubscriber<R, C, S>
where
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
    S: Send + 'static,
{
    held: Held<R, C>,
    upstream: Upstream,
    /// `None` once it waits for the release.
    downstream: Option<S>,
    /// Whether the downstream has had enough.
    is_finished: bool,
}

impl<R, C, S> UsingAsyncSubscriber<R, C, S>
where
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
    S: Send + 'static,
{
    /// Releases the resource. A downstream that has ended the flow itself stays until that is done,
    /// because its drop may tell others of the end.
    fn let_go(&mut self) {
        if self.is_finished
            && let Some(downstream) = self.downstream.take()
        {
            self.held.release(Ending::Canceled, move |_| drop(downstream));
        }
    }
}

impl<R, C, S> Drop for UsingAsyncSubscriber<R, C, S>
where
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
    S: Send + 'static,
{
    fn drop(&mut self) {
        muted(|| self.let_go());
    }
}

impl<T, S, R, C> Subscriber<T> for UsingAsyncSubscriber<R, C, S>
where
    T: 'static,
    S: Subscriber<T>,
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription)
            && let Some(downstream) = &mut self.downstream
        {
            downstream.on_subscribe(subscription);
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        let offer = self.offer(item);
        self.upstream.settle(offer);
        if offer == Offer::Finished {
            self.let_go();
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let Some(downstream) = &mut self.downstream else { return Offer::Finished };
        let offer = downstream.offer(item);
        self.is_finished |= offer == Offer::Finished;
        offer
    }

    fn on_error(mut self, error: Error) {
        let Some(downstream) = self.downstream.take() else { return };
        // The flow's own error is the first one.
        self.held.release(Ending::Failed(error.clone()), move |_| {
            End::Failed(error).signal::<T>(downstream);
        });
    }

    fn on_complete(mut self) {
        let Some(downstream) = self.downstream.take() else { return };
        self.held.release(Ending::Completed, move |released| {
            End::from(released).signal::<T>(downstream);
        });
    }
}
