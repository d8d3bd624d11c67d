//! `on_error_complete`: completion in place of an error.

use std::sync::Arc;

use millstream_kernel::guard::caught;
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{Flow, parts::sequence::may_be_mended};

impl<P: Publisher> Flow<P> {
    /// Completes where the flow would fail.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes, unless the downstream asks for nothing (rule 3.9), which is its own mistake, or
    /// the source panics: an error of kind `Panicked` passes.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--#", |source| source.on_error_complete(), "--1--|");
    /// ```
    pub fn on_error_complete(self) -> Flow<OnErrorComplete<P>> {
        self.on_error_complete_if(|_| true)
    }

    /// Completes where the flow would fail with an error for which `predicate` holds.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes with the source or with such an error; fails with other ones, when the downstream
    /// asks for nothing (rule 3.9), and with one of kind `Panicked` if the source or `predicate`
    /// panics: `predicate` is not asked about those.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Error, ErrorKind};
    ///
    /// let hung_up = millstream::error::<u8>(Error::new(ErrorKind::Disconnected, "hung up"));
    /// let flow = hung_up.on_error_complete_if(|error| error.kind() == ErrorKind::Disconnected);
    /// assert_eq!(flow.count().wait()?, 0);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn on_error_complete_if<F>(self, predicate: F) -> Flow<OnErrorCompleteIf<P, F>>
    where
        F: FnOnce(&Error) -> bool + Send + 'static,
    {
        Flow { source: OnErrorCompleteIf { source: self.source, predicate } }
    }
}

/// Publisher returned by [`Flow::on_error_complete`].
pub type OnErrorComplete<P> = OnErrorCompleteIf<P, fn(&Error) -> bool>;

/// Publisher returned by [`Flow::on_error_complete_if`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnErrorCompleteIf<P, F> {
    source: P,
    predicate: F,
}

impl<P, F> Publisher for OnErrorCompleteIf<P, F>
where
    P: Publisher,
    F: FnOnce(&Error) -> bool + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(OnErrorCompleteIfSubscriber {
            downstream,
            predicate: self.predicate,
            is_signaling: false,
        });
    }
}

backpressure!(OnErrorCompleteIf<P, F>, PassThrough);
opaque_debug!(OnErrorCompleteIf<P, F>);

struct OnErrorCompleteIfSubscriber<S, F> {
    downstream: S,
    predicate: F,
    /// Still set when the stream ends only if the downstream has panicked.
    is_signaling: bool,
}

impl<T, S, F> Subscriber<T> for OnErrorCompleteIfSubscriber<S, F>
where
    S: Subscriber<T>,
    F: FnOnce(&Error) -> bool + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.is_signaling = true;
        self.downstream.on_subscribe(subscription);
        self.is_signaling = false;
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.is_signaling = true;
        self.downstream.on_next(item);
        self.is_signaling = false;
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.is_signaling = true;
        let offer = self.downstream.offer(item);
        self.is_signaling = false;
        offer
    }

    fn on_error(self, error: Error) {
        let Self { downstream, predicate, is_signaling } = self;
        // The downstream's own failures are not the source's: nothing makes up for them.
        if is_signaling || !may_be_mended(&error) {
            return downstream.on_error(error);
        }
        match caught(|| predicate(&error)) {
            Ok(true) => downstream.on_complete(),
            Ok(false) => downstream.on_error(error),
            Err(panicked) => downstream.on_error(panicked),
        }
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}
