//! `replay`: one subscription to the source for all subscribers, with the last items for late ones.

use std::sync::Arc;

use reactive_streams::{Publisher, Subscriber};

use super::{connection::Connector, sharing::Sharing};
use crate::{
    Backpressure, BackpressureKind, Bounded, Flow, hub::Replay, parts::inlet::check_bound,
};

impl<P: Publisher> Flow<P> {
    /// [`share`](Self::share) whose late subscribers first get the last items that came before them, as
    /// many as `replay` says, and the end if there was one.
    ///
    /// The first subscriber connects to the source. When the last one leaves before the end, the
    /// source is canceled and what was kept is dropped; who comes then connects anew, with a clone
    /// of the source. After the end nobody connects any more: what was kept stays as long as a
    /// clone of this flow. See [`replay_with`](Self::replay_with) for other ways.
    ///
    /// # Demand
    ///
    /// As [`share`](Self::share): starts with the first request of any subscriber, and the slowest
    /// subscriber holds back all. What is replayed waits for a late subscriber in addition to its
    /// queue, and holds back nobody.
    ///
    /// # Termination
    ///
    /// All subscribers complete and fail with the source, after the items that wait for them, and
    /// so do those that come later, after what is replayed to them.
    /// A `retry` below therefore meets the same error again: to try again, put it above.
    /// A subscriber that panics ends alone, and so does one for which the clone of an item panics
    /// as it comes.
    ///
    /// # Panics
    ///
    /// If `capacity`, or the number of items that are kept, is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::hub::Replay;
    /// use millstream_testkit::Probe;
    ///
    /// let flow = millstream::range(0..4).replay(4, Replay::last(2));
    /// let early = Probe::subscribe_to(flow.clone());
    /// early.request(9);
    /// let late = Probe::subscribe_to(flow);
    /// late.request(9);
    /// assert_eq!(early.items(), [0, 1, 2, 3]);
    /// assert_eq!(late.items(), [2, 3]);
    /// ```
    #[track_caller]
    pub fn replay(self, capacity: usize, replay: Replay) -> Flow<Replayed<P>> {
        self.replay_with(Sharing::new(capacity), replay)
    }

    /// [`replay`](Self::replay) that connects when several subscribers have come, or stays connected
    /// without any, for a while or until the end.
    ///
    /// # Demand
    ///
    /// As [`replay`](Self::replay). While there is no subscriber, nothing is asked for; items that
    /// are on their way then are kept for who comes.
    ///
    /// # Termination
    ///
    /// As [`replay`](Self::replay).
    ///
    /// # Panics
    ///
    /// If the number of items that are kept is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Sharing, hub::Replay};
    /// use millstream_testkit::Probe;
    ///
    /// let sharing = Sharing::new(1).stay_connected();
    /// let flow = millstream::range(0..).replay_with(sharing, Replay::last(2));
    /// let early = Probe::subscribe_to(flow.clone());
    /// early.request(2);
    /// early.cancel();
    /// let late = Probe::subscribe_to(flow);
    /// late.request(4);
    /// // 2 was on its way when `early` left.
    /// assert_eq!(late.items(), [1, 2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn replay_with(self, sharing: Sharing, replay: Replay) -> Flow<Replayed<P>> {
        check_bound(replay.limit);
        let connector = Connector::new(sharing, Some(replay));
        Flow { source: Replayed { source: self.source, connector } }
    }
}

/// Publisher returned by [`Flow::replay`] and its like.
/// Clones share one subscription to the source.
#[must_use = "publishers do nothing until subscribed to"]
pub struct Replayed<P: Publisher> {
    source: P,
    connector: Arc<Connector<P::Item>>,
}

impl<P: Publisher + Clone> Clone for Replayed<P> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), connector: Arc::clone(&self.connector) }
    }
}

impl<P> Publisher for Replayed<P>
where
    P: Publisher<Item: Clone + Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.connector.subscribe(self.source, downstream);
    }
}

impl<P: Publisher + Backpressure> Backpressure for Replayed<P> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        // What waits for a subscriber, and what is kept beside it.
        let held = self.connector.capacity().saturating_add(self.connector.n_kept());
        self.source.max_in_flight().saturating_add(held)
    }
}

impl<P: Publisher + Bounded> Bounded for Replayed<P> {}

impl<P: Publisher> std::fmt::Debug for Replayed<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replayed").finish_non_exhaustive()
    }
}
