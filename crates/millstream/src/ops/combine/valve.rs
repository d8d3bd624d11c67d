//! `valve`: a flow that is held up and let go from outside.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, check_capacity, inlet},
        start::Start,
    },
};

impl<P: Publisher> Flow<P> {
    /// Holds items back while the latest item of `is_open` is `false`.
    ///
    /// It is open until `is_open` says otherwise. With [`hub::latest`](crate::hub::latest) as
    /// `is_open` the other end of that is the handle.
    /// Closed, it lets the source finish what was asked for, which waits here, and asks for no
    /// more; nothing is lost. When the call that closes it returns, no item begins to pass; one
    /// that another thread is passing on at that moment arrives.
    ///
    /// # Demand
    ///
    /// `is_open` is asked for one item at a time, the first when this is subscribed to.
    /// The rest starts with the downstream's first request while it is open: then the source is
    /// asked for 32 items, and for 24 more whenever as many were passed on.
    /// Up to 32 items wait; [`capacity`](Flow::capacity) sets another bound, and 1 holds the source
    /// back to the item.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait: an end waits as they do.
    /// Fails with `is_open`, at once. If that completes, the valve stays open; one that would stay
    /// closed fails the flow with an error of kind `Disconnected`. A cancel reaches both.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::hub;
    /// use millstream_testkit::Probe;
    ///
    /// let (mut valve, is_open) = hub::latest(true);
    /// let probe = Probe::subscribe_to(millstream::range(0..9).valve(is_open));
    /// probe.request(2);
    /// valve.set(false)?;
    /// probe.request(2);
    /// assert_eq!(probe.items(), [0, 1]);
    /// valve.set(true)?;
    /// assert_eq!(probe.items(), [0, 1, 2, 3]);
    /// # Ok::<(), millstream::hub::Closed>(())
    /// ```
    #[doc(alias = "pause")]
    pub fn valve<Q: Publisher<Item = bool>>(self, is_open: Q) -> Flow<Valve<P, Q>> {
        Flow { source: Valve { source: self.source, is_open, capacity: PREFETCH } }
    }
}

impl<P, Q> Flow<Valve<P, Q>> {
    /// Lets up to `n` items wait. Default: 32.
    ///
    /// # Demand
    ///
    /// The source is asked for `n` items at first, and for three quarters of that whenever as many
    /// were passed on.
    ///
    /// # Termination
    ///
    /// Unchanged.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Backpressure, never, range};
    ///
    /// assert_eq!(range(0..9).valve(never()).capacity(1).max_in_flight(), 2);
    /// ```
    #[track_caller]
    pub fn capacity(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.capacity = n;
        self
    }
}

/// Publisher returned by [`Flow::valve`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Valve<P, Q> {
    source: P,
    is_open: Q,
    capacity: usize,
}

impl<P, Q> Publisher for Valve<P, Q>
where
    P: Publisher<Item: Send + 'static>,
    Q: Publisher<Item = bool>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (first, main) = inlet(self.capacity);
        let (second, control) = inlet(1);
        let (signal, start) = Start::new();
        let source = ValveSource { start, main, control, is_open: true, is_settled: false };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        // The control first: it may be closed already.
        second.subscribe_to(self.is_open, Arc::clone(&gate));
        first.subscribe_to(self.source, Arc::clone(&gate));
        signal.give(gate);
    }
}

backpressure!(two Valve<P, Q>, source saturating_add is_open, Queue, |this| this.capacity.saturating_add(1));
opaque_debug!(Valve<P, Q>);

struct ValveSource<T> {
    start: Start,
    main: Inlet<T>,
    control: Inlet<bool>,
    is_open: bool,
    /// Whether the control has completed.
    is_settled: bool,
}

impl<T> ValveSource<T> {
    /// Does what the control says. How everything ends, if it does.
    fn look(&mut self) -> Option<End> {
        if self.is_settled {
            return None;
        }
        while let Some(is_open) = self.control.take_item() {
            self.is_open = is_open;
            self.control.release(1);
        }
        let end = match self.control.end()? {
            End::Complete if self.is_open => {
                self.is_settled = true;
                return None;
            }
            End::Complete => End::Failed(Error::new(
                ErrorKind::Disconnected,
                "the valve is closed, and what would open it has completed",
            )),
            failed => failed,
        };
        self.main.cancel();
        Some(end)
    }
}

impl<T: Send + 'static> Source for ValveSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn advance(&mut self) {
        self.control.start();
    }

    #[inline]
    fn next(&mut self) -> Step<T> {
        if let Some(end) = self.look() {
            return Step::End(end);
        }
        if !self.is_open || !self.start.has_come() {
            return Step::Pending;
        }
        let step = self.main.next();
        if let Step::End(_) = &step {
            self.control.cancel();
        }
        step
    }

    fn end(&mut self) -> Option<End> {
        if let Some(end) = self.look() {
            return Some(end);
        }
        if !self.is_open {
            return None;
        }
        let end = self.main.end()?;
        self.control.cancel();
        Some(end)
    }

    fn cancel(&mut self) {
        self.main.cancel();
        self.control.cancel();
    }
}
