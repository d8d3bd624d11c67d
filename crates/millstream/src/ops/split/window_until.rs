//! `window_until`: items in flows that a predicate ends.

use reactive_streams::{Publisher, Subscriber};

use super::window::{Window, subscribe};
use crate::{
    Flow,
    parts::{fan_in::PREFETCH, inlet::check_capacity},
};

impl<P: Publisher> Flow<P> {
    /// Passes items on in windows: each is a flow that ends with an item for which `is_last` holds,
    /// or when it has had `n` items.
    ///
    /// `n` bounds what is held for a window that nobody takes from. Where a vector will do,
    /// [`buffer_until`](Self::buffer_until) costs less.
    ///
    /// # Demand
    ///
    /// As [`window`](Self::window).
    ///
    /// # Termination
    ///
    /// As [`window`](Self::window). If `is_last` panics, fails with an error of kind `Panicked`,
    /// and the open window with one of kind `Disconnected`.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// let letters = millstream::from_iter("ab.c.d".chars());
    /// let lengths = letters.window_until(80, |letter| *letter == '.').concat_map(|sentence| {
    ///     sentence.scan(0, |n, _| {
    ///         *n += 1;
    ///         Some(*n)
    ///     })
    /// });
    /// assert_eq!(lengths.collect::<Vec<_>>().wait()?, [1, 2, 3, 1, 2, 1]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn window_until<F>(self, n: usize, is_last: F) -> Flow<WindowUntil<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(&P::Item) -> bool + Send + 'static,
    {
        check_capacity(n);
        Flow { source: WindowUntil { source: self.source, n, is_last } }
    }
}

/// Publisher returned by [`Flow::window_until`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct WindowUntil<P, F> {
    source: P,
    n: usize,
    is_last: F,
}

impl<P, F> Publisher for WindowUntil<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(&P::Item) -> bool + Send + 'static,
{
    type Item = Flow<Window<P::Item>>;

    fn subscribe<S: Subscriber<Flow<Window<P::Item>>>>(self, downstream: S) {
        subscribe(self.source, self.n, None, self.is_last, downstream);
    }
}

// What is in a window is that flow's.
backpressure!(WindowUntil<P, F>, Queue, |this| this.n.min(PREFETCH));
opaque_debug!(WindowUntil<P, F>);
