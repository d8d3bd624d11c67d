//! `window`: items in flows of a size.

mod deferred_cancel;
mod inner;
mod source;

use reactive_streams::{Publisher, Subscriber};

pub use self::inner::Window;
pub(super) use self::{
    deferred_cancel::{Flows, start},
    inner::{Feed, Inner, inner},
    source::subscribe,
};
use crate::{
    Flow,
    parts::{fan_in::PREFETCH, inlet::check_capacity},
    scheduler::Worker,
};

impl<P: Publisher> Flow<P> {
    /// Passes items on in windows: each is a flow of `n` items, which can be worked on before they
    /// are all there.
    ///
    /// The last window is shorter if the items run out; there is no window without items. Where a
    /// vector will do, [`buffer`](Self::buffer) costs less.
    ///
    /// # Demand
    ///
    /// One unit for a window, which begins with its first item.
    /// While a further window is asked for, the present one is filled, so that one that is slow, or
    /// kept for later, holds up none of those behind it; otherwise it takes up to 32 items ahead of
    /// its subscriber. It never holds more than `n`.
    /// The source is asked for 32 items, or `n` if that is less, with the first request, and for
    /// three quarters of that again whenever as many were taken.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the open window, which gets its items first.
    /// What is left for a window that was canceled, or dropped, is dropped when the next one is
    /// asked for. A cancel ends no window: the source is canceled when the open one has had its
    /// items, or is canceled or dropped as well. If the downstream panics or requests 0 items, the
    /// open window fails with an error of kind `Disconnected`.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// let sums = millstream::range(1..=5).window(2).concat_map(|window| {
    ///     window.scan(0, |sum, n| {
    ///         *sum += n;
    ///         Some(*sum)
    ///     })
    /// });
    /// assert_eq!(sums.collect::<Vec<_>>().wait()?, [1, 3, 3, 7, 5]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn window(self, n: usize) -> Flow<Windows<P>>
    where
        P::Item: Send + 'static,
    {
        check_capacity(n);
        Flow { source: Windows { source: self.source, n, time: None } }
    }
}

/// Publisher returned by [`Flow::window`] and [`Flow::window_timeout`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Windows<P> {
    pub(crate) source: P,
    pub(crate) n: usize,
    /// How long a window lasts, and by whose clock.
    pub(crate) time: Option<(Worker, std::time::Duration)>,
}

impl<P> Publisher for Windows<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = Flow<Window<P::Item>>;

    fn subscribe<S: Subscriber<Flow<Window<P::Item>>>>(self, downstream: S) {
        source::subscribe(self.source, self.n, self.time, |_| false, downstream);
    }
}

// What is in a window is that flow's.
backpressure!(Windows<P>, Queue, |this| this.n.min(PREFETCH));
opaque_debug!(Windows<P>);
