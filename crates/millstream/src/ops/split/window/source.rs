//! Shared: a source's items in windows, one after the other.
//!
//! `window`, `window_timeout` and `window_until` differ in what ends a window before it has all its
//! items.

use std::{sync::Weak, time::Duration};

use millstream_kernel::{End, Step, Wake};
use reactive_streams::{Publisher, Subscriber};

use super::{
    deferred_cancel::{Flows, start},
    inner::{Feed, Window, inner},
};
use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
    },
    scheduler::{Worker, gate_timer::GateTimer},
};

/// Items that are moved before the gate looks for a cancel.
const BURST: usize = 64;

/// Subscribes `downstream` to windows of `n` items of `source`, or of those of some time, or up to
/// one of which `is_last` holds.
pub(crate) fn subscribe<P, S, F>(
    source: P,
    n: usize,
    time: Option<(Worker, Duration)>,
    is_last: F,
    downstream: S,
) where
    P: Publisher<Item: Send + 'static>,
    S: Subscriber<Flow<Window<P::Item>>>,
    F: FnMut(&P::Item) -> bool + Send + 'static,
{
    // A window takes as many ahead of its subscriber.
    let ahead = n.min(PREFETCH);
    let (entrance, inlet) = inlet(ahead);
    let gate = start(downstream, move |gate| {
        let clock = time.map(|(worker, limit)| {
            let timer = GateTimer::waking(worker, Weak::clone(&gate));
            Clock { timer, limit, due: Duration::ZERO }
        });
        Windows {
            inlet,
            gate,
            n,
            ahead,
            closes: is_last,
            open: None,
            n_left: 0,
            clock,
            end: None,
            is_last: false,
        }
    });
    source.subscribe(entrance.subscriber(gate));
}

struct Windows<T, F> {
    inlet: Inlet<T>,
    /// What windows wake.
    gate: Weak<dyn Wake>,
    n: usize,
    ahead: usize,
    /// Whether an item is the last of its window.
    closes: F,
    /// The present window, until it has had its items or its time; its subscriber may have gone.
    open: Option<Feed<T>>,
    /// Items that the present window has still to get.
    n_left: usize,
    clock: Option<Clock>,
    /// How the source ended.
    end: Option<End>,
    /// Whether no other window will be asked for.
    is_last: bool,
}

struct Clock {
    timer: GateTimer,
    limit: Duration,
    /// When the present window ends.
    due: Duration,
}

impl Clock {
    /// An item if the present window's time has come, an end if it never will.
    fn look(&mut self) -> Step<()> {
        if self.timer.now() >= self.due {
            return Step::Item(());
        }
        self.timer.wait_until(self.due, || {})
    }
}

impl<T, F> Windows<T, F>
where
    T: Send + 'static,
    F: FnMut(&T) -> bool,
{
    /// Begins a window with its first item.
    fn begin(&mut self, item: T) -> Step<Flow<Window<T>>> {
        let Some(gate) = self.gate.upgrade() else { return Step::Pending };
        let (mut feed, inner) = inner(self.n, self.ahead, gate);
        self.n_left = if (self.closes)(&item) { 0 } else { self.n - 1 };
        let rejected = feed.push(item);
        debug_assert!(rejected.is_ok(), "a window has room for an item");
        self.open = Some(feed);
        if let Some(clock) = &mut self.clock {
            clock.due = clock.timer.now().saturating_add(clock.limit);
        }
        self.fill(self.ahead, false);
        Step::Item(Flow { source: Window { inner, n: self.n } })
    }

    /// Moves items into the present window as long as fewer than `limit` wait there, and ends it
    /// when it has had its items or its time. Of a window that nobody takes from, the rest is
    /// dropped if the next one is wanted.
    fn fill(&mut self, limit: usize, next_is_wanted: bool) {
        let Some(feed) = &mut self.open else { return };
        match self.clock.as_mut().map_or(Step::Pending, Clock::look) {
            Step::Pending => {}
            Step::Item(()) => return self.close(End::Complete),
            Step::End(end) => {
                self.inlet.cancel();
                return self.finish(end);
            }
        }
        let mut n_moved = 0;
        while self.n_left > 0 {
            let is_closed = feed.is_closed();
            let has_room = if is_closed { next_is_wanted } else { feed.n_waiting() < limit };
            if !has_room {
                match self.inlet.end() {
                    Some(end) => return self.finish(end),
                    None => break,
                }
            }
            if n_moved == BURST {
                // Comes back, and leaves room for a cancel.
                if let Some(gate) = self.gate.upgrade() {
                    gate.wake();
                }
                break;
            }
            match self.inlet.next() {
                Step::Item(item) => {
                    n_moved += 1;
                    self.n_left = if (self.closes)(&item) { 0 } else { self.n_left - 1 };
                    // There is a place, or nobody who takes.
                    drop(if is_closed { Some(item) } else { feed.push(item).err() });
                }
                Step::Pending => break,
                Step::End(end) => return self.finish(end),
            }
        }
        if self.n_left == 0 {
            self.close(End::Complete);
        } else if n_moved > 0 {
            feed.flush();
        }
    }

    /// Ends the present window.
    fn close(&mut self, end: End) {
        if self.is_last {
            self.inlet.cancel();
        }
        if let Some(feed) = self.open.take() {
            feed.end(end);
        }
    }

    /// Ends the present window, and what comes after it.
    fn finish(&mut self, end: End) {
        self.end = Some(end.clone());
        self.close(end);
    }
}

impl<T, F> Flows for Windows<T, F>
where
    T: Send + 'static,
    F: FnMut(&T) -> bool + Send + 'static,
{
    type Flow = Flow<Window<T>>;

    fn next(&mut self) -> Step<Flow<Window<T>>> {
        self.fill(self.n, true);
        if self.open.is_some() {
            return Step::Pending;
        }
        if let Some(end) = self.end.take() {
            return Step::End(end);
        }
        match self.inlet.next() {
            Step::Item(item) => self.begin(item),
            Step::Pending => Step::Pending,
            Step::End(end) => Step::End(end),
        }
    }

    fn advance(&mut self, is_last: bool) {
        self.is_last = is_last;
        self.fill(self.ahead, false);
    }

    fn end(&mut self) -> Option<End> {
        if self.open.is_some() {
            return None;
        }
        self.end.take().or_else(|| self.inlet.end())
    }

    fn is_needed(&self) -> bool {
        self.open.as_ref().is_some_and(|feed| !feed.is_closed())
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
