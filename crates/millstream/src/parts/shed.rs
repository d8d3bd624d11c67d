//! A bounded queue behind a source that is asked for everything.
//!
//! The overflow operators, `debounce` and `sample` differ in what they do with an item that finds the
//! queue full; what they share is here. The source is asked without bound with the downstream's first
//! request, and what it sends meets the operator's policy, so that memory stays bounded all the same.

use std::sync::Arc;

use millstream_kernel::{Backlog, Deferred, End, Evict, Source, Step, Wake};
use reactive_streams::{Demand, Error, Subscriber, Subscription};

/// The consumer half.
pub(crate) struct ShedQueue<T> {
    backlog: Arc<Backlog<T>>,
    upstream: Arc<Deferred>,
    is_started: bool,
}

/// The producer half, before it knows whom to wake.
pub(crate) struct ShedEntrance<T> {
    backlog: Arc<Backlog<T>>,
    upstream: Arc<Deferred>,
}

/// The producer half: the upstream's subscriber. `A` admits items to the queue, and fails the stream
/// with its error.
pub(crate) struct ShedSubscriber<T, W: Wake, A> {
    backlog: Arc<Backlog<T>>,
    upstream: Arc<Deferred>,
    taker: Arc<W>,
    admit: A,
    is_closed: bool,
}

/// A queue that holds at most `capacity` items.
pub(crate) fn shed_queue<T>(capacity: usize) -> (ShedEntrance<T>, ShedQueue<T>) {
    let backlog = Arc::new(Backlog::new(capacity));
    let upstream = Arc::new(Deferred::new());
    let entrance = ShedEntrance { backlog: Arc::clone(&backlog), upstream: Arc::clone(&upstream) };
    (entrance, ShedQueue { backlog, upstream, is_started: false })
}

/// Admits every item; the newest takes the place of the oldest.
#[expect(clippy::unnecessary_wraps, reason = "a policy, like those that can fail")]
pub(crate) fn keep_newest<T>(backlog: &Backlog<T>, item: T) -> Result<(), Error> {
    backlog.push(item, Evict::Oldest, drop);
    Ok(())
}

impl<T> ShedEntrance<T> {
    pub(crate) fn subscriber<W, A>(self, taker: Arc<W>, admit: A) -> ShedSubscriber<T, W, A>
    where
        W: Wake,
        A: FnMut(&Backlog<T>, T) -> Result<(), Error>,
    {
        let Self { backlog, upstream } = self;
        ShedSubscriber { backlog, upstream, taker, admit, is_closed: false }
    }
}

impl<T> ShedQueue<T> {
    /// The item that waits longest. The first call asks the upstream for everything.
    pub(crate) fn next(&mut self) -> Step<T> {
        if !self.is_started {
            self.is_started = true;
            self.upstream.request(Demand::UNBOUNDED.get());
        }
        self.backlog.pop()
    }

    /// How the upstream ended, if all items were taken.
    pub(crate) fn end(&self) -> Option<End> {
        self.backlog.take_end()
    }

    pub(crate) fn cancel(&self) {
        self.upstream.cancel();
    }
}

impl<T: Send + 'static> Source for ShedQueue<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        Self::next(self)
    }

    fn end(&mut self) -> Option<End> {
        Self::end(self)
    }

    fn cancel(&mut self) {
        Self::cancel(self);
    }
}

impl<T, W, A> Subscriber<T> for ShedSubscriber<T, W, A>
where
    T: Send + 'static,
    W: Wake + 'static,
    A: FnMut(&Backlog<T>, T) -> Result<(), Error> + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.upstream.set(subscription);
    }

    fn on_next(&mut self, item: T) {
        if self.is_closed {
            return;
        }
        if let Err(error) = (self.admit)(&self.backlog, item) {
            self.upstream.cancel();
            self.close(End::Failed(error));
        }
        self.taker.wake();
    }

    fn on_error(mut self, error: Error) {
        self.close(End::Failed(error));
    }

    fn on_complete(mut self) {
        self.close(End::Complete);
    }
}

impl<T, W: Wake, A> ShedSubscriber<T, W, A> {
    fn close(&mut self, end: End) {
        self.is_closed = true;
        self.backlog.close(end);
        self.upstream.finish();
    }
}

impl<T, W: Wake, A> Drop for ShedSubscriber<T, W, A> {
    fn drop(&mut self) {
        if !self.is_closed {
            self.close(crate::parts::inlet::disconnected());
        }
        self.taker.wake();
    }
}
