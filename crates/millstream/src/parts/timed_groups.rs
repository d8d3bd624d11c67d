//! Groups of items that are full, or old enough.

use std::{
    mem,
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use super::inlet::{Inlet, inlet};
use crate::scheduler::{Worker, gate_timer::GateTimer};

/// Subscribes `downstream` to the items of `source` in groups. Each is passed on when it has as
/// many as `size` said when its first item came, between 1 and `max`, or when `limit` has passed
/// since then by the clock of `worker`.
///
/// # Demand
///
/// One unit for a group. Starts with the downstream's first request: then `max` items are asked
/// for, and three quarters of that again whenever as many were put into a group.
///
/// # Termination
///
/// Completes and fails with the source, after the group that was begun; with an error of kind
/// `Rejected` if the scheduler was shut down or has no clock.
///
/// # Panics
///
/// Unless `max` lies in `1..=16_777_216`.
pub fn subscribe_in_groups<P, S, F>(
    source: P,
    worker: Worker,
    max: usize,
    limit: Duration,
    size: F,
    downstream: S,
) where
    P: Publisher<Item: Send + 'static>,
    S: Subscriber<Vec<P::Item>>,
    F: FnMut() -> usize + Send + 'static,
{
    let (entrance, inlet) = inlet(max);
    let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
        let groups = Groups {
            inlet,
            timer: GateTimer::new(worker, Weak::clone(gate)),
            max,
            limit,
            size,
            group: Vec::new(),
            full: max,
            due: None,
            end: None,
            is_started: false,
        };
        (groups, downstream, Inline)
    });
    source.subscribe(entrance.subscriber(Arc::clone(&gate)));
}

struct Groups<T, F> {
    inlet: Inlet<T>,
    timer: GateTimer,
    max: usize,
    limit: Duration,
    size: F,
    group: Vec<T>,
    /// How many make the group full that was begun last.
    full: usize,
    /// When the group that was begun is passed on, full or not.
    due: Option<Duration>,
    /// How the source ended.
    end: Option<End>,
    /// Whether the downstream has asked for anything.
    is_started: bool,
}

impl<T, F: FnMut() -> usize> Groups<T, F> {
    fn is_full(&self) -> bool {
        !self.group.is_empty() && self.group.len() >= self.full
    }

    /// Puts what waits into the group.
    fn fill(&mut self) {
        while !self.is_full() && self.end.is_none() {
            match self.inlet.next() {
                Step::Item(item) => {
                    if self.group.is_empty() {
                        self.due = Some(self.timer.now().saturating_add(self.limit));
                        self.full = (self.size)().min(self.max);
                    }
                    self.group.push(item);
                }
                Step::End(end) => self.end = Some(end),
                Step::Pending => return,
            }
        }
    }
}

impl<T: Send + 'static, F: FnMut() -> usize + Send + 'static> Source for Groups<T, F> {
    type Item = Vec<T>;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Vec<T>> {
        self.is_started = true;
        self.fill();
        let Some(due) = self.due else {
            return self.end.take().map_or(Step::Pending, Step::End);
        };
        if self.is_full() || self.end.is_some() || self.timer.now() >= due {
            self.due = None;
            return Step::Item(mem::take(&mut self.group));
        }
        self.timer.wait_until(due, || self.inlet.cancel())
    }

    /// A group's time begins with its first item, whether or not it was asked for.
    fn advance(&mut self) {
        if self.is_started {
            self.fill();
        }
    }

    fn end(&mut self) -> Option<End> {
        if self.group.is_empty() { self.end.take().or_else(|| self.inlet.end()) } else { None }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
