//! `partition`, `divert`: a flow in parts, by what its items are.

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
    /// Splits the flow into `n` parts: an item goes to the one whose number `f` returns.
    ///
    /// For keys whose number is not known, see [`group_by`](Self::group_by); for a producer outside
    /// of a flow, [`hub::partition`](crate::hub::partition).
    ///
    /// # Demand
    ///
    /// The source is subscribed to with the first of the parts, and asked for `capacity` items
    /// then, and for three quarters of that again whenever as many were dealt.
    /// Up to `capacity` items wait in each part, and as many before them; one whose part is full
    /// holds up those behind it, whatever they are, so that every part has to be taken from,
    /// canceled or dropped.
    ///
    /// # Termination
    ///
    /// All parts complete and fail with the source, after their items.
    /// The items of a part that was canceled or dropped are dropped; when there is no part left,
    /// the source is canceled. If `f` panics, or returns a number that is not below `n`, the parts
    /// fail with an error of kind `Disconnected`.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=65_536` and `capacity` in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut parts = millstream::range(0..9).partition(3, 8, |n| n % 3);
    /// let last = parts.remove(2).collect::<Vec<_>>();
    /// drop(parts);
    /// assert_eq!(last.wait()?, [2, 5, 8]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[must_use = "parts that are dropped take no items"]
    #[track_caller]
    pub fn partition<F>(self, n: usize, capacity: usize, f: F) -> Vec<Flow<Part<P::Item>>>
    where
        P: Send + 'static,
        P::Item: Send + 'static,
        F: FnMut(&P::Item) -> usize + Send + 'static,
    {
        check_parts(n);
        check_capacity(capacity);
        dealing::deal(self.source, capacity, |maker| {
            let (feeds, parts) = (0..n).map(|_| maker.part()).unzip();
            (ByNumber { feeds, f }, parts)
        })
    }

    /// Splits the flow in two: the items for which `predicate` holds go to the second flow, and the
    /// others to the first.
    ///
    /// # Demand
    ///
    /// As [`partition`](Self::partition).
    ///
    /// # Termination
    ///
    /// As [`partition`](Self::partition).
    ///
    /// # Panics
    ///
    /// Unless `capacity` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// let (small, large) = millstream::from_iter([1, 50, 2, 70]).divert(8, |n| *n > 9);
    /// let large = large.collect::<Vec<_>>();
    /// assert_eq!(small.collect::<Vec<_>>().wait()?, [1, 2]);
    /// assert_eq!(large.wait()?, [50, 70]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "divert_to")]
    #[must_use = "parts that are dropped take no items"]
    #[track_caller]
    pub fn divert<F>(self, capacity: usize, mut predicate: F) -> Diverted<P::Item>
    where
        P: Send + 'static,
        P::Item: Send + 'static,
        F: FnMut(&P::Item) -> bool + Send + 'static,
    {
        check_capacity(capacity);
        dealing::deal(self.source, capacity, |maker| {
            let ((first, kept), (second, diverted)) = (maker.part(), maker.part());
            let deal = ByNumber {
                feeds: vec![first, second],
                f: move |item: &P::Item| usize::from(predicate(item)),
            };
            (deal, (kept, diverted))
        })
    }
}

/// The two parts of [`Flow::divert`]: what stays, and what is diverted.
pub type Diverted<T> = (Flow<Part<T>>, Flow<Part<T>>);

/// The part whose number a closure returns.
struct ByNumber<T, F> {
    feeds: Vec<Feed<T>>,
    f: F,
}

impl<T, F> Deal<T> for ByNumber<T, F>
where
    T: Send + 'static,
    F: FnMut(&T) -> usize + Send + 'static,
{
    type Place = usize;

    fn place(&mut self, item: &T) -> usize {
        let place = (self.f)(item);
        assert!(place < self.feeds.len(), "there is no part {place}");
        place
    }

    fn has_room(&mut self, place: usize) -> bool {
        self.feeds[place].has_room()
    }

    fn deal(&mut self, place: usize, item: T) {
        self.feeds[place].give(item);
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
