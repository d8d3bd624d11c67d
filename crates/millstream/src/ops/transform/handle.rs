//! `handle`: turns an item into another, into nothing, or into the end.

use std::sync::Arc;

use millstream_kernel::{End, Upstream};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{Flow, parts::downstream::Downstream};

/// What the closure of [`Flow::handle`] makes of an item.
#[derive(Clone, Debug)]
pub enum Handled<U> {
    /// Pass this on.
    Pass(U),
    /// Pass nothing on.
    Skip,
    /// Pass this on, and complete.
    Last(U),
    /// Complete.
    Complete,
    /// Fail.
    Fail(Error),
}

impl<P: Publisher> Flow<P> {
    /// Decides about each item: passes something on for it, skips it, or ends the flow.
    ///
    /// `map`, `filter`, `take_while` and `flatten_results` in one, for decisions that need to see
    /// the item once.
    ///
    /// # Demand
    ///
    /// Passed on unchanged. A skipped item uses no demand, so the downstream receives as many items
    /// as it asked for (rule 3.8).
    ///
    /// # Termination
    ///
    /// Completes or fails when `f` says so, and stops the source; otherwise completes and fails
    /// with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::Handled;
    /// use millstream_testkit::marbles::check;
    ///
    /// check(
    ///     "--1--x--3--.--5--|",
    ///     |source| source.handle(|item| match item {
    ///         '.' => Handled::Complete,
    ///         item => item.to_digit(10).map_or(Handled::Skip, Handled::Pass),
    ///     }),
    ///     "--1-----3--|",
    /// );
    /// ```
    pub fn handle<U, F>(self, f: F) -> Flow<Handle<P, F>>
    where
        F: FnMut(P::Item) -> Handled<U> + Send + 'static,
    {
        Flow { source: Handle { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::handle`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Handle<P, F> {
    source: P,
    f: F,
}

impl<P, U, F> Publisher for Handle<P, F>
where
    P: Publisher,
    F: FnMut(P::Item) -> Handled<U> + Send + 'static,
{
    type Item = U;

    fn subscribe<S: Subscriber<U>>(self, downstream: S) {
        self.source.subscribe(HandleSubscriber {
            downstream: Downstream::new(downstream),
            upstream: Upstream::unset(),
            f: self.f,
        });
    }
}

backpressure!(Handle<P, F>, PassThrough);
opaque_debug!(Handle<P, F>);

struct HandleSubscriber<S, F> {
    downstream: Downstream<S>,
    upstream: Upstream,
    f: F,
}

impl<T, U, S, F> Subscriber<T> for HandleSubscriber<S, F>
where
    S: Subscriber<U>,
    F: FnMut(T) -> Handled<U> + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            self.downstream.on_subscribe(subscription);
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        let offer = self.offer(item);
        self.downstream.settle(&self.upstream, offer);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if self.downstream.is_ended() {
            return Offer::Finished;
        }
        match (self.f)(item) {
            Handled::Pass(item) => self.downstream.offer(item),
            Handled::Skip => Offer::Skipped,
            Handled::Last(item) => match self.downstream.offer(item) {
                Offer::Accepted | Offer::Skipped => self.downstream.end(End::Complete),
                Offer::Finished => Offer::Finished,
            },
            Handled::Complete => self.downstream.end(End::Complete),
            Handled::Fail(error) => self.downstream.end(End::Failed(error)),
        }
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}
