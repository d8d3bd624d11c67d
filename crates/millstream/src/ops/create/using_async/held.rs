//! Shared: the resource that a flow of `using_async` holds, and those who wait for its release.

use std::{future::Future, pin::Pin, sync::Arc};

use millstream_kernel::{Upstream, guard::muted, oneshot};
use reactive_streams::{Error, Offer, Subscriber, Subscription};

use crate::{
    Ending, from_future_on,
    scheduler::{Ambient, Worker},
};

/// Kept by whoever has a resource, or may acquire one. The last one to drop it says so.
#[derive(Clone)]
pub(super) struct Uses {
    pub(super) _last: Option<Arc<Use>>,
}

pub(super) struct Use {
    pub(super) _sender: oneshot::Sender<()>,
    pub(super) _before: Uses,
}

/// A resource, and what releases it: at the latest when this is dropped.
pub(super) struct Held<R, C>
where
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
{
    pub(super) resource: Option<(R, C)>,
    pub(super) worker: Worker,
    pub(super) uses: Uses,
}

pub(super) type Releasing = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl<R, C> Held<R, C>
where
    R: Send + 'static,
    C: FnOnce(R, Ending) -> Releasing + Send + 'static,
{
    /// Has the resource released on the worker, once, and calls `then` when that was done.
    pub(super) fn release(
        &mut self,
        ending: Ending,
        then: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) {
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
        muted(|| self.release(Ending::Canceled, drop));
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
