//! `window_timeout`: items in flows of a size, that last for some time.

use std::time::Duration;

use reactive_streams::Publisher;

use crate::{Flow, Windows, parts::inlet::check_capacity, scheduler::Scheduler};

impl<P: Publisher> Flow<P> {
    /// Passes items on in windows: each is a flow that ends when it has had `n` items, or when
    /// `limit` has passed since its first.
    ///
    /// There is no window without items: while none come, none begins.
    ///
    /// # Demand
    ///
    /// As [`window`](Self::window): a window begins with its first item when it is asked for, and
    /// until then that item waits. Time that passes without demand is never an error.
    /// Of a window whose subscriber is slow, items that had no place when its time came are in the
    /// next one.
    ///
    /// # Termination
    ///
    /// As [`window`](Self::window). Time also ends a window whose items are dropped because nobody
    /// takes them. Fails with an error of kind `Rejected`, after the open window, if the scheduler
    /// was shut down or has no clock.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// check_in_time(
    ///     "12-3-----|",
    ///     |source, clock| {
    ///         let windows = source.window_timeout(clock, 2, three);
    ///         windows.concat_map(|window| window.concat(millstream::just('.')))
    ///     },
    ///     "1(2.)-3--.--|",
    /// );
    /// ```
    #[track_caller]
    pub fn window_timeout(
        self,
        scheduler: &impl Scheduler,
        n: usize,
        limit: Duration,
    ) -> Flow<Windows<P>>
    where
        P::Item: Send + 'static,
    {
        check_capacity(n);
        Flow { source: Windows { source: self.source, n, time: Some((scheduler.worker(), limit)) } }
    }
}
