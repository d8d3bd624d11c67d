//! `balance`: a flow in parts, by who has room.

use millstream_kernel::End;
use reactive_streams::Publisher;

use super::{
    dealing::{self, Deal, Part},
    window::Feed,
};
use crate::{
    Flow,
    parts::inlet::{check_capacity, check_parts},
};

impl<P: Publisher> Flow<P> {
    /// Splits the flow into `n` parts: an item goes to the next one, round and round, that has
    /// room.
    ///
    /// One that is slow gets less. For several threads that do the same, see
    /// [`parallel`](Self::parallel).
    ///
    /// # Demand
    ///
    /// The source is subscribed to with the first of the parts, and asked for `capacity` items
    /// then, and for three quarters of that again whenever as many were dealt.
    /// Up to `capacity` items wait in each part, and as many before them, while all parts are full.
    /// A part that nobody takes from is full with `capacity` items, which wait there.
    ///
    /// # Termination
    ///
    /// All parts complete and fail with the source, after their items.
    /// A part that was canceled or dropped gets no more, and drops what it has; when there is no
    /// part left, the source is canceled.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=65_536` and `capacity` in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::Probe;
    ///
    /// let parts = millstream::range(0..6).balance(2, 1);
    /// let probes: Vec<_> = parts.into_iter().map(Probe::subscribe_to).collect();
    /// probes[0].request(4); // the other one takes the item that it has room for
    /// assert_eq!(probes[0].items(), [0, 2, 3, 4]);
    /// ```
    #[must_use = "parts that are dropped take no items"]
    #[track_caller]
    pub fn balance(self, n: usize, capacity: usize) -> Vec<Flow<Part<P::Item>>>
    where
        P: Send + 'static,
        P::Item: Send + 'static,
    {
        check_parts(n);
        check_capacity(capacity);
        dealing::deal(self.source, capacity, |maker| {
            let (feeds, parts) = (0..n).map(|_| maker.part()).unzip();
            (ByRoom { feeds, next: 0 }, parts)
        })
    }
}

/// The next part that has room.
struct ByRoom<T> {
    feeds: Vec<Feed<T>>,
    /// Who is asked first.
    next: usize,
}

impl<T: Send + 'static> Deal<T> for ByRoom<T> {
    type Place = ();

    fn place(&mut self, _: &T) {}

    fn has_room(&mut self, (): ()) -> bool {
        let n = self.feeds.len();
        let mut in_turn = (self.next..n).chain(0..self.next);
        let found = in_turn.find(|&index| {
            let feed = &mut self.feeds[index];
            !feed.is_closed() && feed.has_room()
        });
        self.next = found.unwrap_or(self.next);
        found.is_some()
    }

    fn deal(&mut self, (): (), item: T) {
        // One that was closed in the meantime loses it, as it would have a moment later.
        self.feeds[self.next].give(item);
        self.next = (self.next + 1) % self.feeds.len();
    }

    fn flush(&mut self) {
        self.feeds.iter().for_each(Feed::flush);
    }

    fn is_closed(&self) -> bool {
        self.feeds.iter().all(Feed::is_closed)
    }

    fn end(&mut self, end: End) {
        self.feeds.drain(..).for_each(|feed| feed.end(end.clone()));
    }
}
