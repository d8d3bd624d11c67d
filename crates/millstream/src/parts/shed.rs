//! A bounded queue behind a source that is asked for everything.
//!
//! The overflow operators, `debounce` and `sample` differ in what they do with an item that finds
//! the queue full; what they share is here. The source is asked without bound with the downstream's
//! first request, and what it sends meets the operator's policy, so that memory stays bounded all
//! the same.

use std::sync::Arc;

use millstream_kernel::{Backlog, Deferred, End, Evict, Source, Step, Wake, after_turn};
use reactive_streams::{Demand, Error, Subscriber, Subscription};

/// The consumer half.
pub struct ShedQueue<T> {
    backlog: Arc<Backlog<T>>,
    upstream: Arc<Deferred>,
    is_started: bool,
}

/// The producer half, before it knows whom to wake.
pub struct ShedEntrance<T> {
    backlog: Arc<Backlog<T>>,
    upstream: Arc<Deferred>,
}

/// The producer half: the upstream's subscriber. `A` admits items to the queue, and fails the
/// stream with its error.
pub struct ShedSubscriber<T, W: Wake, A> {
    backlog: Arc<Backlog<T>>,
    upstream: Arc<Deferred>,
    taker: Arc<W>,
    admit: A,
    is_closed: bool,
}

/// Returns a queue that holds at most `capacity` items.
pub fn shed_queue<T>(capacity: usize) -> (ShedEntrance<T>, ShedQueue<T>) {
    let backlog = Arc::new(Backlog::new(capacity));
    let upstream = Arc::new(Deferred::new());
    let entrance = ShedEntrance { backlog: Arc::clone(&backlog), upstream: Arc::clone(&upstream) };
    (entrance, ShedQueue { backlog, upstream, is_started: false })
}

/// Admits every item; the newest takes the place of the oldest.
#[allow(
    clippy::missing_errors_doc,
    clippy::unnecessary_wraps,
    reason = "a policy, like those that can fail"
)]
pub fn keep_newest<T>(backlog: &Backlog<T>, item: T) -> Result<(), Error> {
    backlog.push(item, Evict::Oldest, drop);
    Ok(())
}

impl<T> ShedEntrance<T> {
    /// Returns the upstream's subscriber, which passes each item to `admit` and wakes `taker`.
    ///
    /// An error of `admit` cancels the upstream and ends the stream after the items in the queue.
    pub fn subscriber<W, A>(self, taker: Arc<W>, admit: A) -> ShedSubscriber<T, W, A>
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
    #[expect(clippy::should_implement_trait, reason = "a step, not an option, as in `Source`")]
    pub fn next(&mut self) -> Step<T> {
        if !self.is_started {
            self.is_started = true;
            after_turn::request(&self.upstream, Demand::UNBOUNDED.get());
        }
        self.backlog.pop()
    }

    /// Returns how the upstream ended, once all items were taken.
    pub fn end(&self) -> Option<End> {
        self.backlog.take_end()
    }

    /// Cancels the upstream.
    pub fn cancel(&self) {
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
        // What those on this thread have put off may ask for more, and make room.
        after_turn::flush();
        if let Err(error) = (self.admit)(&self.backlog, item) {
            self.upstream.cancel();
            self.close(End::Failed(error));
        }
        // The next one would meet it in the queue.
        self.taker.wake_at_once();
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

opaque_debug!(ShedQueue<T>);
opaque_debug!(ShedEntrance<T>);

impl<T, W: Wake, A> std::fmt::Debug for ShedSubscriber<T, W, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShedSubscriber").finish_non_exhaustive()
    }
}
