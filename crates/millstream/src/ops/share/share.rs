//! `share`: one subscription to the source for all subscribers.

use std::sync::Arc;

use reactive_streams::{Publisher, Subscriber};

use super::{connection::Connector, sharing::Sharing};
use crate::{Backpressure, BackpressureKind, Bounded, Flow};

impl<P: Publisher> Flow<P> {
    /// Subscribes to the source once for all who subscribe to clones of this flow: they get the
    /// same items from when they come.
    ///
    /// The first subscriber connects to the source, and the source is canceled when the last one
    /// leaves. Who comes after that, or after the source has ended, connects anew, with a clone of
    /// the source. See [`share_with`](Self::share_with) for other ways, and
    /// [`replay`](Self::replay) for subscribers that are to get what was before them.
    ///
    /// Items are fetched ahead, and what was fetched is not sent again. So a subscriber that comes
    /// from inside an item begins after those that were fetched with it, not with the next one.
    ///
    /// # Demand
    ///
    /// Starts with the first request of any subscriber. The slowest subscriber holds back all: the
    /// source is asked for as many items as the fullest queue has places for, less those that are
    /// on their way, when that is three quarters of `capacity` or when none are.
    /// A subscriber's queue holds exactly `capacity` items.
    ///
    /// # Termination
    ///
    /// All subscribers complete and fail with the source, after the items that wait for them.
    /// If the source sends more than was asked for, it is canceled, and they fail with an error of
    /// kind `Overflow`. A subscriber that panics ends alone.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::Probe;
    ///
    /// let shared = millstream::range(0..4).inspect(|n| println!("once: {n}")).share(4);
    /// let (one, two) = (Probe::subscribe_to(shared.clone()), Probe::subscribe_to(shared));
    /// one.request(9);
    /// two.request(9);
    /// assert_eq!(one.items(), [0, 1, 2, 3]);
    /// assert_eq!(two.items(), [0, 1, 2, 3]);
    /// ```
    ///
    /// One that comes from inside the second item, when five were fetched, four of them at first
    /// and one in place of the first item:
    ///
    /// ```
    /// use std::sync::mpsc::channel;
    /// use millstream_testkit::Probe;
    ///
    /// let (sender, late) = channel();
    /// let shared = millstream::range(0..8).share(4);
    /// let again = shared.clone();
    /// let first = Probe::subscribe_to(shared.inspect(move |n| {
    ///     if *n == 1 {
    ///         let probe = Probe::subscribe_to(again.clone());
    ///         probe.request(9);
    ///         sender.send(probe).unwrap();
    ///     }
    /// }));
    /// first.request(1);
    /// first.request(9);
    /// assert_eq!(late.recv()?.items(), [5, 6, 7]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "publish")]
    #[doc(alias = "ref_count")]
    #[doc(alias = "shared")]
    #[track_caller]
    pub fn share(self, capacity: usize) -> Flow<Share<P>> {
        self.share_with(Sharing::new(capacity))
    }

    /// [`share`](Self::share) that connects when several subscribers have come, or stays connected for a
    /// while without any.
    ///
    /// # Demand
    ///
    /// As [`share`](Self::share). Items that are on their way when the last subscriber leaves, and
    /// come while there is none, are dropped.
    ///
    /// # Termination
    ///
    /// As [`share`](Self::share).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::Sharing;
    /// use millstream_testkit::Probe;
    ///
    /// let shared = millstream::range(0..4).share_with(Sharing::new(4).min_subscribers(2));
    /// let one = Probe::subscribe_to(shared.clone());
    /// one.request(9);
    /// assert_eq!(one.n_items(), 0);
    /// let two = Probe::subscribe_to(shared);
    /// two.request(9);
    /// assert_eq!((one.n_items(), two.n_items()), (4, 4));
    /// ```
    #[doc(alias = "auto_connect")]
    #[doc(alias = "ref_count_grace")]
    pub fn share_with(self, sharing: Sharing) -> Flow<Share<P>> {
        Flow { source: Share { source: self.source, connector: Connector::new(sharing, None) } }
    }
}

/// Publisher returned by [`Flow::share`] and its like. Clones share one subscription to the source.
#[must_use = "publishers do nothing until subscribed to"]
pub struct Share<P: Publisher> {
    source: P,
    connector: Arc<Connector<P::Item>>,
}

impl<P: Publisher + Clone> Clone for Share<P> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), connector: Arc::clone(&self.connector) }
    }
}

impl<P> Publisher for Share<P>
where
    P: Publisher<Item: Clone + Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.connector.subscribe(self.source, downstream);
    }
}

impl<P: Publisher + Backpressure> Backpressure for Share<P> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.source.max_in_flight().saturating_add(self.connector.capacity())
    }
}

impl<P: Publisher + Bounded> Bounded for Share<P> {}

impl<P: Publisher> std::fmt::Debug for Share<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share").finish_non_exhaustive()
    }
}
