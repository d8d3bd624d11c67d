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
    let count = Count { max, size, n_left: 0 };
    subscribe(source, worker, max, limit, count, downstream);
}

/// Says when a group is full.
pub(crate) trait Rule<T>: Send + 'static {
    /// The next item is the first of a group.
    fn begin(&mut self);

    /// Adds an item to the group, unless that has to be passed on before.
    fn add(&mut self, item: &T) -> Added;
}

/// What became of an item.
pub(crate) enum Added {
    /// There is room for others.
    Fits,
    /// It is the group's last.
    Fills,
    /// It is the next group's first.
    Exceeds,
}

/// Subscribes `downstream` to groups that are full by `rule`, or as old as `limit`;
/// `n` items are asked for ahead.
pub(crate) fn subscribe<P, S, R>(
    source: P,
    worker: Worker,
    n: usize,
    limit: Duration,
    rule: R,
    downstream: S,
) where
    P: Publisher<Item: Send + 'static>,
    S: Subscriber<Vec<P::Item>>,
    R: Rule<P::Item>,
{
    let (entrance, inlet) = inlet(n);
    let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
        let groups = Groups {
            inlet,
            timer: GateTimer::new(worker, Weak::clone(gate)),
            limit,
            rule,
            group: Vec::new(),
            is_full: false,
            held: None,
            due: None,
            end: None,
            is_started: false,
        };
        (groups, downstream, Inline)
    });
    source.subscribe(entrance.subscriber(Arc::clone(&gate)));
}

/// As many items as `size` says when a group begins.
struct Count<F> {
    max: usize,
    size: F,
    n_left: usize,
}

impl<T, F: FnMut() -> usize + Send + 'static> Rule<T> for Count<F> {
    fn begin(&mut self) {
        self.n_left = (self.size)().clamp(1, self.max);
    }

    fn add(&mut self, _: &T) -> Added {
        self.n_left -= 1;
        if self.n_left == 0 { Added::Fills } else { Added::Fits }
    }
}

struct Groups<T, R> {
    inlet: Inlet<T>,
    timer: GateTimer,
    limit: Duration,
    rule: R,
    group: Vec<T>,
    /// Whether the group takes no other item.
    is_full: bool,
    /// An item that exceeds the group, which is full.
    held: Option<T>,
    /// When the group that was begun is passed on, full or not.
    due: Option<Duration>,
    /// How the source ended.
    end: Option<End>,
    /// Whether the downstream has asked for anything.
    is_started: bool,
}

impl<T, R: Rule<T>> Groups<T, R> {
    /// Puts what waits into the group.
    fn fill(&mut self) {
        while !self.is_full && self.end.is_none() {
            match self.inlet.next() {
                Step::Item(item) => self.add(item),
                Step::End(end) => self.end = Some(end),
                Step::Pending => return,
            }
        }
    }

    fn add(&mut self, item: T) {
        if self.group.is_empty() {
            self.rule.begin();
            self.due = Some(self.timer.now().saturating_add(self.limit));
        }
        match self.rule.add(&item) {
            Added::Fits => self.group.push(item),
            Added::Fills => {
                self.is_full = true;
                self.group.push(item);
            }
            Added::Exceeds => {
                self.is_full = true;
                self.held = Some(item);
            }
        }
    }

    /// Gives the group, and begins the next one with an item that had no room in it.
    fn take(&mut self) -> Vec<T> {
        self.due = None;
        self.is_full = false;
        let group = mem::take(&mut self.group);
        if let Some(item) = self.held.take() {
            self.add(item);
        }
        group
    }
}

impl<T: Send + 'static, R: Rule<T>> Source for Groups<T, R> {
    type Item = Vec<T>;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Vec<T>> {
        self.is_started = true;
        self.fill();
        let Some(due) = self.due else {
            return self.end.take().map_or(Step::Pending, Step::End);
        };
        if self.is_full || self.end.is_some() || self.timer.now() >= due {
            return Step::Item(self.take());
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
