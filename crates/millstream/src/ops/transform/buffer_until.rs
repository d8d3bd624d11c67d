//! `buffer_until`, `buffer_while`: items in groups that a predicate closes.

use std::sync::Arc;

use millstream_kernel::{End, Upstream};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{Flow, parts::downstream::end_after};

impl<P: Publisher> Flow<P> {
    /// Collects items into a vector that ends with one for which `is_last` holds.
    ///
    /// A vector grows until there is such an item: bound it in `is_last` where the source is not to
    /// be trusted.
    ///
    /// # Demand
    ///
    /// Passed on unchanged. An item that does not close its vector uses no demand, so the
    /// downstream receives as many vectors as it asked for (rule 3.8).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after a vector of the items that are left.
    ///
    /// # Examples
    ///
    /// ```
    /// let sentences = millstream::from_iter("ab.c.d".chars())
    ///     .buffer_until(|letter| *letter == '.')
    ///     .map(|letters| letters.into_iter().collect::<String>());
    /// assert_eq!(sentences.collect::<Vec<_>>().wait()?, ["ab.", "c.", "d"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "split_after")]
    pub fn buffer_until<F>(self, is_last: F) -> Flow<BufferUntil<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(&P::Item) -> bool + Send + 'static,
    {
        Flow { source: BufferUntil { source: self.source, predicate: is_last, closes_at: true } }
    }

    /// Collects items into a vector as long as `belongs` holds.
    ///
    /// The item for which it fails closes the vector, and is dropped: it is a separator.
    /// Between two separators in a row there is no vector.
    ///
    /// # Demand
    ///
    /// As [`buffer_until`](Self::buffer_until).
    ///
    /// # Termination
    ///
    /// As [`buffer_until`](Self::buffer_until).
    ///
    /// # Examples
    ///
    /// ```
    /// let words = millstream::from_iter("ab  c d".chars())
    ///     .buffer_while(|letter| *letter != ' ')
    ///     .map(|letters| letters.into_iter().collect::<String>());
    /// assert_eq!(words.collect::<Vec<_>>().wait()?, ["ab", "c", "d"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "split")]
    pub fn buffer_while<F>(self, belongs: F) -> Flow<BufferUntil<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(&P::Item) -> bool + Send + 'static,
    {
        Flow { source: BufferUntil { source: self.source, predicate: belongs, closes_at: false } }
    }
}

/// Publisher returned by [`Flow::buffer_until`] and [`Flow::buffer_while`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BufferUntil<P, F> {
    source: P,
    predicate: F,
    closes_at: bool,
}

impl<P, F> Publisher for BufferUntil<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(&P::Item) -> bool + Send + 'static,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        self.source.subscribe(BufferUntilSubscriber {
            downstream,
            upstream: Upstream::unset(),
            predicate: self.predicate,
            closes_at: self.closes_at,
            items: Vec::new(),
        });
    }
}

// A group ends when the predicate says so, so that nothing bounds it.
impl<P, F> crate::Backpressure for BufferUntil<P, F> {
    const KIND: crate::BackpressureKind = crate::BackpressureKind::Unbounded;

    fn max_in_flight(&self) -> u64 {
        u64::MAX
    }
}

opaque_debug!(BufferUntil<P, F>);

struct BufferUntilSubscriber<T, S, F> {
    downstream: S,
    upstream: Upstream,
    predicate: F,
    /// What the predicate says of an item that closes a vector.
    /// One of which it holds belongs to it.
    closes_at: bool,
    /// Items that used no demand, so that there is some for them.
    items: Vec<T>,
}

impl<T, S, F> BufferUntilSubscriber<T, S, F>
where
    S: Subscriber<Vec<T>>,
{
    /// Gives the vector that `item` closes.
    #[inline]
    fn add(&mut self, item: T) -> Option<Vec<T>>
    where
        F: FnMut(&T) -> bool,
    {
        let holds = (self.predicate)(&item);
        if holds || self.closes_at {
            self.items.push(item);
        }
        let closes = holds == self.closes_at;
        (closes && !self.items.is_empty()).then(|| std::mem::take(&mut self.items))
    }

    fn end(self, end: End) {
        let left = Some(self.items).filter(|items| !items.is_empty());
        end_after(self.downstream, left, end);
    }
}

impl<T, S, F> Subscriber<T> for BufferUntilSubscriber<T, S, F>
where
    T: Send + 'static,
    S: Subscriber<Vec<T>>,
    F: FnMut(&T) -> bool + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            self.downstream.on_subscribe(subscription);
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        match self.add(item) {
            Some(items) => self.downstream.on_next(items),
            None => self.upstream.request(1),
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.add(item).map_or(Offer::Skipped, |items| self.downstream.offer(items))
    }

    fn on_error(self, error: Error) {
        self.end(End::Failed(error));
    }

    fn on_complete(self) {
        self.end(End::Complete);
    }
}
