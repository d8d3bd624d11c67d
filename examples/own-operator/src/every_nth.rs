//! `every_nth`: passes each nth item on.

use millstream::{Offer, Publisher, Subscriber};
use millstream_kernel::Upstream;

/// Publisher returned by [`FlowExt::every_nth`](crate::FlowExt::every_nth).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct EveryNth<P> {
    source: P,
    n: u64,
}

impl<P> EveryNth<P> {
    // Mistakes of the caller panic where the flow is written, not where it is subscribed to.
    #[track_caller]
    pub(crate) fn new(source: P, n: u64) -> Self {
        assert!(n > 0, "there is no 0th item: use at least 1");
        Self { source, n }
    }
}

impl<P: Publisher> Publisher for EveryNth<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, n } = self;
        let upstream = Upstream::unset();
        source.subscribe(EveryNthSubscriber { downstream, upstream, n, n_until_next: n });
    }
}

millstream::backpressure!(EveryNth<P>, PassThrough);
millstream::opaque_debug!(EveryNth<P>);

struct EveryNthSubscriber<S> {
    downstream: S,
    upstream: Upstream,
    n: u64,
    /// Items until the next one that is passed on, which is counted.
    n_until_next: u64,
}

impl<T, S: Subscriber<T>> Subscriber<T> for EveryNthSubscriber<S> {
    millstream::forward!(on_subscribe, initial_request, on_error, on_complete);

    fn on_next(&mut self, item: T) {
        self.n_until_next -= 1;
        if self.n_until_next > 0 {
            return self.upstream.request(1);
        }
        self.n_until_next = self.n;
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.n_until_next -= 1;
        if self.n_until_next > 0 {
            return Offer::Skipped;
        }
        self.n_until_next = self.n;
        self.downstream.offer(item)
    }
}
