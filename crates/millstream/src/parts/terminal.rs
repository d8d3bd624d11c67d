//! The subscriber at the end of a flow that is run for its result.

use std::{ops::ControlFlow, sync::Arc};

use millstream_kernel::{Deferred, guard::muted, oneshot};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{Context, Outcome};

/// Runs `publisher` to its end: `step` takes each item into the state, or breaks when it needs no
/// more; `finish` makes the result of the state. Asks for everything at once.
pub fn run<P, A, F, G, R>(publisher: P, state: A, step: F, finish: G) -> Outcome<R>
where
    P: Publisher,
    A: Send + 'static,
    F: FnMut(&mut A, P::Item) -> ControlFlow<()> + Send + 'static,
    G: FnOnce(&mut A) -> Result<R, Error> + Send + 'static,
    R: Send + 'static,
{
    run_for(u64::MAX, publisher, state, step, finish)
}

/// The same, asking for `n` items in all: `step` breaks with the last of them.
pub fn run_for<P, A, F, G, R>(n: u64, publisher: P, state: A, step: F, finish: G) -> Outcome<R>
where
    P: Publisher,
    A: Send + 'static,
    F: FnMut(&mut A, P::Item) -> ControlFlow<()> + Send + 'static,
    G: FnOnce(&mut A) -> Result<R, Error> + Send + 'static,
    R: Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let upstream = Arc::new(Deferred::new());
    let outcome = Outcome::new(receiver, Arc::clone(&upstream));
    let end = Some((finish, sender));
    let terminal = Terminal { n, state, step, upstream, end, is_over: false };
    // It may be run inside of another's subscription, whose context is not its own.
    Context::new().within(|| publisher.subscribe(terminal));
    outcome
}

struct Terminal<A, F, G, R>
where
    G: FnOnce(&mut A) -> Result<R, Error>,
{
    n: u64,
    state: A,
    step: F,
    upstream: Arc<Deferred>,
    end: Option<(G, oneshot::Sender<Result<R, Error>>)>,
    /// Whether `step` needs no more items.
    is_over: bool,
}

impl<A, F, G, R> Terminal<A, F, G, R>
where
    G: FnOnce(&mut A) -> Result<R, Error>,
{
    /// Sends the result.
    fn finish(&mut self) {
        if let Some((finish, sender)) = self.end.take() {
            sender.send(finish(&mut self.state));
        }
    }

    /// Sends the result if no more items are needed.
    /// Of a `finish` that panics, the outcome is that nothing was sent.
    fn conclude(&mut self) {
        if self.is_over {
            muted(|| self.finish());
        }
    }
}

impl<A, F, G, R> Drop for Terminal<A, F, G, R>
where
    G: FnOnce(&mut A) -> Result<R, Error>,
{
    fn drop(&mut self) {
        self.conclude();
    }
}

impl<T, A, F, G, R> Subscriber<T> for Terminal<A, F, G, R>
where
    A: Send + 'static,
    F: FnMut(&mut A, T) -> ControlFlow<()> + Send + 'static,
    G: FnOnce(&mut A) -> Result<R, Error> + Send + 'static,
    R: Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.n > 0 {
            self.upstream.request(self.n);
        }
        self.upstream.set(subscription);
    }

    /// A few items need no subscription, if they are at hand.
    /// A flow that is run to its end can be canceled.
    #[inline]
    fn initial_request(&mut self) -> u64 {
        if self.n == u64::MAX { 0 } else { std::mem::take(&mut self.n) }
    }

    fn on_next(&mut self, item: T) {
        if self.offer(item) == Offer::Finished {
            self.upstream.cancel();
            self.conclude();
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        match (self.step)(&mut self.state, item) {
            ControlFlow::Continue(()) => Offer::Accepted,
            ControlFlow::Break(()) => {
                // The drop sends the result, when the source has let go.
                self.is_over = true;
                Offer::Finished
            }
        }
    }

    fn on_error(mut self, error: Error) {
        if let Some((_, sender)) = self.end.take() {
            sender.send(Err(error));
        }
    }

    fn on_complete(mut self) {
        self.finish();
    }
}
