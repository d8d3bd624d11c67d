//! `limit_rate`: demand in small portions.

use std::{
    ops::ControlFlow,
    sync::{Arc, Weak},
};

use millstream_kernel::{End, Fed, Gate, InlineForOne, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::inlet::{Inlet, check_capacity, inlet},
};

impl<P: Publisher> Flow<P> {
    /// Asks the source for at most `n` items at a time, however many the downstream asks for.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `n` items are asked for, and three quarters
    /// of `n` again whenever as many were passed on.
    /// Up to `n` items wait in a queue of that capacity.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--|", |source| source.limit_rate(1), "--1--2--|");
    /// ```
    #[doc(alias = "rebatch_requests")]
    #[track_caller]
    pub fn limit_rate(self, n: usize) -> Flow<LimitRate<P>> {
        check_capacity(n);
        Flow { source: LimitRate { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::limit_rate`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct LimitRate<P> {
    source: P,
    n: usize,
}

impl<P> Publisher for LimitRate<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrance, inlet) = inlet(self.n);
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (inlet, downstream, InlineForOne));
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

opaque_debug!(LimitRate<P>);
backpressure!(LimitRate<P>, Queue, |this| this.n);

impl<T: Send + 'static> Source for Inlet<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    #[inline]
    fn next(&mut self) -> Step<T> {
        Self::next(self)
    }

    #[inline(always)]
    fn feed(&mut self, limit: u64, take: impl FnMut(T) -> ControlFlow<()>) -> Fed {
        Self::feed(self, limit, take)
    }

    // For `publish_on`; inline gates do not wait.
    fn pause(&self, n_waited: u32) -> u32 {
        Self::pause(self, n_waited)
    }

    fn end(&mut self) -> Option<End> {
        Self::end(self)
    }

    fn cancel(&mut self) {
        Self::cancel(self);
    }
}
