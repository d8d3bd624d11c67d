//! Looks on how requests go, for those who decide about the next ones.

use std::sync::Arc;

use millstream::Ending;
use millstream_kernel::guard::muted;
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

/// Looks on a request.
pub(crate) trait Watch: Send + 'static {
    /// The first item has come.
    fn answered(&mut self);
    /// It is over. Called once, and last.
    fn ended(&mut self, ending: &Ending);
}

/// A publisher whose subscriber is watched.
#[derive(Clone)]
pub(crate) struct Watched<P, W> {
    pub(crate) source: P,
    pub(crate) watch: W,
}

impl<P: Publisher, W: Watch> Publisher for Watched<P, W> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let watching = Watching { watch: self.watch, ending: Ending::Canceled };
        self.source.subscribe(WatchSubscriber { downstream, is_answered: false, watching });
    }
}

struct WatchSubscriber<S, W: Watch> {
    downstream: S,
    is_answered: bool,
    watching: Watching<W>,
}

/// Says that it is over when it is dropped: also when the downstream panics.
struct Watching<W: Watch> {
    watch: W,
    ending: Ending,
}

impl<W: Watch> Drop for Watching<W> {
    fn drop(&mut self) {
        muted(|| self.watch.ended(&self.ending));
    }
}

impl<S, W: Watch> WatchSubscriber<S, W> {
    #[inline]
    fn answered(&mut self) {
        if !self.is_answered {
            self.is_answered = true;
            self.watching.watch.answered();
        }
    }
}

impl<T, S: Subscriber<T>, W: Watch> Subscriber<T> for WatchSubscriber<S, W> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(subscription);
    }

    #[inline]
    fn initial_request(&mut self) -> u64 {
        self.downstream.initial_request()
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.answered();
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.answered();
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        let Self { downstream, mut watching, .. } = self;
        watching.ending = Ending::Failed(error.clone());
        // Permits are free again before the downstream asks for another.
        drop(watching);
        downstream.on_error(error);
    }

    fn on_complete(self) {
        let Self { downstream, mut watching, .. } = self;
        watching.ending = Ending::Completed;
        drop(watching);
        downstream.on_complete();
    }
}
