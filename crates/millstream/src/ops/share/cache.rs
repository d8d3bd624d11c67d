//! `cache`: runs the source once, and gives all of it to everybody.

use reactive_streams::{Publisher, Subscriber};

use crate::{Backpressure, BackpressureKind, Flow, Replayed, Sharing, hub::Replay};

impl<P: Publisher> Flow<P> {
    /// Runs the source once, and keeps all of its items and its end for who subscribes later.
    ///
    /// The first subscriber connects to the source, which stays connected until its end, or until
    /// there is no subscriber and no clone of this flow. To keep the last items alone, use
    /// [`replay_with`](Self::replay_with) and [`Sharing::stay_connected`].
    ///
    /// # Demand
    ///
    /// As [`share`](Self::share): the slowest subscriber holds back all, and while there is none,
    /// nothing is asked for. All items are kept, so that this is without bound.
    ///
    /// # Termination
    ///
    /// As [`replay`](Self::replay): each subscriber gets all items, and then the end of the source.
    /// A failure is kept as well, and is not tried again.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let cached = millstream::range(0..4).inspect(|n| println!("once: {n}")).cache(4);
    /// let (sum, n) = (cached.clone().reduce(|sum, n| sum + n), cached.count());
    /// assert_eq!((sum.wait()?, n.wait()?), (Some(6), 4));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn cache(self, capacity: usize) -> Flow<Cache<P>> {
        let sharing = Sharing::new(capacity).stay_connected();
        let Flow { source } = self.replay_with(sharing, Replay::last(usize::MAX));
        Flow { source: Cache { source } }
    }
}

/// Publisher returned by [`Flow::cache`]. Clones share one subscription to the source.
#[must_use = "publishers do nothing until subscribed to"]
pub struct Cache<P: Publisher> {
    source: Replayed<P>,
}

impl<P: Publisher + Clone> Clone for Cache<P> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone() }
    }
}

impl<P> Publisher for Cache<P>
where
    P: Publisher<Item: Clone + Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(downstream);
    }
}

impl<P: Publisher> Backpressure for Cache<P> {
    const KIND: BackpressureKind = BackpressureKind::Unbounded;

    fn max_in_flight(&self) -> u64 {
        u64::MAX
    }
}

impl<P: Publisher> std::fmt::Debug for Cache<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}
