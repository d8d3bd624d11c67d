//! `unzip`: a flow of pairs in two.

use millstream_kernel::End;
use reactive_streams::Publisher;

use super::{
    dealing::{self, Deal, Part},
    window::Feed,
};
use crate::{Flow, parts::inlet::check_capacity};

impl<A, B, P: Publisher<Item = (A, B)>> Flow<P> {
    /// Splits a flow of pairs into one of what comes first in them, and one of what comes second.
    ///
    /// # Demand
    ///
    /// The source is subscribed to with the first of the parts, and asked for `capacity` pairs
    /// then, and for three quarters of that again whenever as many were dealt.
    /// Up to `capacity` items wait in each part, and as many pairs before them, while one of the
    /// two is full: both have to be taken from, canceled or dropped.
    ///
    /// # Termination
    ///
    /// Both complete and fail with the source, after their items.
    /// The items of one that was canceled or dropped are dropped; when both were, the source is
    /// canceled.
    ///
    /// # Panics
    ///
    /// Unless `capacity` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// let (numbers, letters) = millstream::from_iter([(1, 'a'), (2, 'b')]).unzip(8);
    /// let letters = letters.collect::<String>();
    /// assert_eq!(numbers.collect::<Vec<_>>().wait()?, [1, 2]);
    /// assert_eq!(letters.wait()?, "ab");
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[must_use = "parts that are dropped take no items"]
    #[track_caller]
    pub fn unzip(self, capacity: usize) -> (Flow<Part<A>>, Flow<Part<B>>)
    where
        P: Send + 'static,
        A: Send + 'static,
        B: Send + 'static,
    {
        check_capacity(capacity);
        dealing::deal(self.source, capacity, |maker| {
            let ((first, left), (second, right)) = (maker.part(), maker.part());
            (InTwo { feeds: Some((first, second)) }, (left, right))
        })
    }
}

/// Both parts, a half for each.
struct InTwo<A, B> {
    /// `None` after the end.
    feeds: Option<(Feed<A>, Feed<B>)>,
}

impl<A: Send + 'static, B: Send + 'static> Deal<(A, B)> for InTwo<A, B> {
    type Place = ();

    fn place(&mut self, _: &(A, B)) {}

    fn has_room(&mut self, (): ()) -> bool {
        self.feeds.as_mut().is_none_or(|(left, right)| left.has_room() && right.has_room())
    }

    fn deal(&mut self, (): (), (a, b): (A, B)) {
        if let Some((left, right)) = &mut self.feeds {
            left.give(a);
            right.give(b);
        }
    }

    fn flush(&mut self) {
        if let Some((left, right)) = &self.feeds {
            left.flush();
            right.flush();
        }
    }

    fn is_closed(&self) -> bool {
        self.feeds.as_ref().is_none_or(|(left, right)| left.is_closed() && right.is_closed())
    }

    fn end(&mut self, end: End) {
        if let Some((left, right)) = self.feeds.take() {
            left.end(end.clone());
            right.end(end);
        }
    }
}
