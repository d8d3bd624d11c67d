//! `do_finally`: something to do when it is over.

use std::sync::Arc;

use millstream_kernel::guard::muted;
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

/// How a flow came to its end for a subscriber.
#[derive(Clone, Debug)]
pub enum Ending {
    /// It completed.
    Completed,
    /// It failed.
    Failed(Error),
    /// The downstream had enough, or the publisher let go of its subscriber.
    Canceled,
}

impl<P: Publisher> Flow<P> {
    /// Calls `f` once when it is over, however it came to that: after the terminal signal was
    /// passed on, or after a cancel.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. When `f` is called, nobody is left to be told of a
    /// panic.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use millstream::Ending;
    ///
    /// let (log, lines) = mpsc::channel();
    /// let first = millstream::range(0..)
    ///     .do_finally(move |ending| log.send(matches!(ending, Ending::Canceled)).unwrap())
    ///     .first();
    /// assert_eq!(first.wait()?, Some(0));
    /// assert_eq!(lines.try_recv(), Ok(true));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "watch_termination")]
    pub fn do_finally<F>(self, f: F) -> Flow<DoFinally<P, F>>
    where
        F: FnOnce(Ending) + Send + 'static,
    {
        Flow { source: DoFinally { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::do_finally`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct DoFinally<P, F> {
    source: P,
    f: F,
}

impl<P, F> Publisher for DoFinally<P, F>
where
    P: Publisher,
    F: FnOnce(Ending) + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let finally = Finally { f: Some(self.f), ending: Ending::Canceled };
        self.source.subscribe(DoFinallySubscriber { downstream, finally });
    }
}

backpressure!(DoFinally<P, F>, PassThrough);
opaque_debug!(DoFinally<P, F>);

struct DoFinallySubscriber<S, F: FnOnce(Ending)> {
    // Dropped first, so that `f` is called when the downstream is gone.
    downstream: S,
    finally: Finally<F>,
}

impl<T, S, F> Subscriber<T> for DoFinallySubscriber<S, F>
where
    S: Subscriber<T>,
    F: FnOnce(Ending) + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(subscription);
    }

    #[inline]
    fn initial_request(&mut self) -> u64 {
        self.downstream.initial_request()
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
        let Self { downstream, mut finally } = self;
        finally.ending = Ending::Failed(error.clone());
        downstream.on_error(error);
    }

    fn on_complete(self) {
        let Self { downstream, mut finally } = self;
        finally.ending = Ending::Completed;
        downstream.on_complete();
    }
}

/// Calls its closure when it is dropped: also when the downstream panics.
struct Finally<F: FnOnce(Ending)> {
    f: Option<F>,
    ending: Ending,
}

impl<F: FnOnce(Ending)> Drop for Finally<F> {
    fn drop(&mut self) {
        if let Some(f) = self.f.take() {
            let ending = std::mem::replace(&mut self.ending, Ending::Canceled);
            muted(|| f(ending));
        }
    }
}
