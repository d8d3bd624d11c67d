//! `buffer`: items in groups of a size.

use std::sync::Arc;

use millstream_kernel::{End, Upstream};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{Flow, parts::downstream::end_after};

/// The most items that room is made for before they are there.
const ROOM: usize = 1024;

impl<P: Publisher> Flow<P> {
    /// Collects `n` items at a time into a vector.
    ///
    /// The last vector is shorter if the items run out.
    ///
    /// # Demand
    ///
    /// Multiplied by `n`: a request for two vectors is one for twice `n` items.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after a vector of the items that are left.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let pairs = millstream::range(1..=5).buffer(2).collect::<Vec<_>>().wait()?;
    /// assert_eq!(pairs, [vec![1, 2], vec![3, 4], vec![5]]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "chunks")]
    #[doc(alias = "grouped")]
    #[track_caller]
    pub fn buffer(self, n: usize) -> Flow<Buffer<P>>
    where
        P::Item: Send + 'static,
    {
        assert!(n > 0, "a buffer of 0 items would never be full: use at least 1");
        Flow { source: Buffer { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::buffer`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Buffer<P> {
    source: P,
    n: usize,
}

impl<P> Publisher for Buffer<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        self.source.subscribe(BufferSubscriber {
            downstream,
            upstream: Upstream::unset(),
            n: self.n,
            items: Vec::new(),
        });
    }
}

backpressure!(Buffer<P>, Queue, |this| this.n);
opaque_debug!(Buffer<P>);

struct BufferSubscriber<T, S> {
    downstream: S,
    upstream: Upstream,
    n: usize,
    /// Fewer than `n` items, for which one vector was asked for.
    items: Vec<T>,
}

impl<T, S> BufferSubscriber<T, S>
where
    S: Subscriber<Vec<T>>,
{
    /// Gives the vector that `item` makes full.
    #[inline]
    fn add(&mut self, item: T) -> Option<Vec<T>> {
        if self.items.is_empty() {
            self.items.reserve_exact(self.n.min(ROOM));
        }
        self.items.push(item);
        (self.items.len() >= self.n).then(|| std::mem::take(&mut self.items))
    }

    fn end(self, end: End) {
        let left = Some(self.items).filter(|items| !items.is_empty());
        end_after(self.downstream, left, end);
    }
}

impl<T, S> Subscriber<T> for BufferSubscriber<T, S>
where
    T: Send + 'static,
    S: Subscriber<Vec<T>>,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            let n = self.n as u64;
            self.downstream.on_subscribe(Arc::new(Multiplied { upstream: subscription, n }));
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        if let Some(items) = self.add(item) {
            self.downstream.on_next(items);
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let Some(items) = self.add(item) else { return Offer::Accepted };
        let offer = self.downstream.offer(items);
        if offer == Offer::Skipped && self.n > 1 {
            // Another vector takes all of its items again; the answer makes up for one of them.
            self.upstream.request(self.n as u64 - 1);
        }
        offer
    }

    fn on_error(self, error: Error) {
        self.end(End::Failed(error));
    }

    fn on_complete(self) {
        self.end(End::Complete);
    }
}

/// Asks for `n` items where one vector is asked for.
struct Multiplied {
    upstream: Arc<dyn Subscription>,
    n: u64,
}

impl Subscription for Multiplied {
    fn request(&self, n: u64) {
        // Saturated, it is without bound (rule 3.17).
        self.upstream.request(n.saturating_mul(self.n));
    }

    fn cancel(&self) {
        self.upstream.cancel();
    }
}
