//! `using`: a flow over a resource of its own.

use std::{error, sync::Arc};

use millstream_kernel::{
    Upstream,
    guard::{caught, muted},
};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{Backpressure, BackpressureKind, Bounded, Flow, parts::downstream::Downstream};

/// Acquires a resource for each subscriber, and releases it when the subscriber is done.
///
/// `make` makes the flow of the resource. A value that cleans up when it is dropped can simply be
/// moved into the flow's closures; this is for cleaning up before the end is signaled, and in a
/// function that takes the resource. For cleaning up that has to be awaited, see
/// [`using_async`](crate::using_async).
///
/// # Demand
///
/// That of the made flow.
///
/// # Termination
///
/// Completes and fails with the made flow, after `release` was called; fails with the error of
/// `acquire`. `release` is called exactly once for each resource: before the end is signaled, or
/// after a cancel, when the made flow is gone. If a closure panics, fails with an error of kind
/// `Panicked`, except where the flow has failed already.
///
/// # Examples
///
/// ```
/// use std::{io, sync::mpsc};
///
/// let (log, lines) = mpsc::channel();
/// let flow = millstream::using(
///     || Ok::<_, io::Error>(vec![1, 2, 3]),
///     |numbers| millstream::from_iter(std::mem::take(numbers)),
///     move |_numbers| log.send("released").unwrap(),
/// );
/// assert_eq!(flow.count().wait()?, 3);
/// assert_eq!(lines.try_recv(), Ok("released"));
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "unfold_resource")]
#[doc(alias = "finalize")]
pub fn using<R, E, A, M, P, C>(acquire: A, make: M, release: C) -> Flow<Using<A, M, C>>
where
    R: Send + 'static,
    E: error::Error + Send + Sync + 'static,
    A: FnOnce() -> Result<R, E>,
    M: FnOnce(&mut R) -> P,
    P: Publisher<Item: 'static>,
    C: FnOnce(R) + Send + 'static,
{
    Flow { source: Using { acquire, make, release } }
}

/// Publisher returned by [`using`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Using<A, M, C> {
    acquire: A,
    make: M,
    release: C,
}

impl<R, E, A, M, P, C> Publisher for Using<A, M, C>
where
    R: Send + 'static,
    E: error::Error + Send + Sync + 'static,
    A: FnOnce() -> Result<R, E>,
    M: FnOnce(&mut R) -> P,
    P: Publisher<Item: 'static>,
    C: FnOnce(R) + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { acquire, make, release } = self;
        let made = caught(acquire).and_then(|acquired| {
            let mut resource = acquired.map_err(Error::other)?;
            match caught(|| make(&mut resource)) {
                Ok(publisher) => Ok((publisher, Held(Some((resource, release))))),
                Err(error) => {
                    muted(|| release(resource));
                    Err(error)
                }
            }
        });
        match made {
            Ok((publisher, held)) => {
                let (upstream, downstream) = (Upstream::unset(), Downstream::new(downstream));
                publisher.subscribe(UsingSubscriber { held, upstream, downstream });
            }
            Err(error) => crate::error(error).subscribe(downstream),
        }
    }
}

impl<A, M, C, R, E, P> Backpressure for Using<A, M, C>
where
    A: FnOnce() -> Result<R, E>,
    M: FnOnce(&mut R) -> P,
    P: Backpressure,
{
    const KIND: BackpressureKind = P::KIND;

    /// What the flow that is made holds comes on top.
    fn max_in_flight(&self) -> u64 {
        0
    }
}

impl<A, M, C, R, E, P> Bounded for Using<A, M, C>
where
    A: FnOnce() -> Result<R, E>,
    M: FnOnce(&mut R) -> P,
    P: Bounded,
{
}

opaque_debug!(Using<A, M, C>);

struct UsingSubscriber<S, R, C: FnOnce(R)> {
    // Dropped first, so that a downstream that ended the flow itself is told when the resource is
    // free.
    held: Held<R, C>,
    upstream: Upstream,
    downstream: Downstream<S>,
}

impl<T, S, R, C> Subscriber<T> for UsingSubscriber<S, R, C>
where
    S: Subscriber<T>,
    R: Send + 'static,
    C: FnOnce(R) + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            self.downstream.on_subscribe(subscription);
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        let offer = self.downstream.offer(item);
        self.upstream.settle(offer);
        if offer == Offer::Finished {
            muted(|| self.held.release());
            self.downstream.let_go();
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        let Self { held, downstream, .. } = self;
        drop(held);
        downstream.on_error(error);
    }

    fn on_complete(self) {
        let Self { mut held, downstream, .. } = self;
        match caught(|| held.release()) {
            Ok(()) => downstream.on_complete(),
            Err(error) => downstream.on_error(error),
        }
    }
}

/// A resource, and what releases it: at the latest when this is dropped.
struct Held<R, C: FnOnce(R)>(Option<(R, C)>);

impl<R, C: FnOnce(R)> Held<R, C> {
    fn release(&mut self) {
        if let Some((resource, release)) = self.0.take() {
            release(resource);
        }
    }
}

impl<R, C: FnOnce(R)> Drop for Held<R, C> {
    fn drop(&mut self) {
        muted(|| self.release());
    }
}
