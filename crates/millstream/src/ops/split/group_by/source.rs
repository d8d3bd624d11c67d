//! Shared: one source for many groups of its items, each with a subscriber of its own.
//!
//! Everything is done in the turns of one gate: it takes items, finds their groups, and signals the
//! subscribers of the groups and that of the flow of groups, each through its port.
//! While a group is open, the downstream may have canceled the flow of groups: then items with
//! other keys are dropped.
//!
//! # Invariants
//!
//! 1. At most one item is held back, and while it is, none is taken from the inlet: no item of a
//!    group overtakes another, and no end overtakes an item.
//! 2. At most `max_groups` groups are open, and at most as many were evicted and are not drained.
//! 3. `n_wanted` is what the downstream takes at a time.
//!    A downstream that has fewer groups and asks for none is about to ask for one in place of one
//!    that ended. On another thread it may ask before the end is seen here.
//!    So `n_wanted` is the peak of open groups plus demand where too small a number would fail the
//!    flow, and the first demand where too large a number would make it wait.

use std::{
    convert::Infallible,
    hash::Hash,
    sync::{Arc, Weak},
};

use millstream_kernel::{End, Gate, Inline, ReadySet, Source, Step, Wake, guard::caught};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber, Subscription};

use super::{
    limits::{GroupPolicy, Limits},
    port::{Port, PortSubscription},
    table::{Groups, Put},
};
use crate::{
    Flow, Group,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
        start::Start,
    },
};

/// Subscribes `downstream` to the groups that `key` makes of the items of `source`.
pub(crate) fn subscribe<P, K, F, S>(source: P, key: F, limits: Limits, downstream: S)
where
    P: Publisher<Item: Send + 'static>,
    K: Eq + Hash + Clone + Send + 'static,
    F: FnMut(&P::Item) -> K + Send + 'static,
    S: Subscriber<Flow<Group<K, P::Item>>>,
{
    let (entrance, inlet) = inlet(PREFETCH);
    let (signal, start) = Start::new();
    let main = Port::new();
    let slot = main.slot();
    let gate = Gate::start_with(|gate: &Weak<Gate<_, Nobody, _>>| {
        // By invariant 2.
        let ready = Arc::new(ReadySet::new(limits.max_groups.saturating_mul(2)));
        let groups = Groups::new(limits.capacity, Arc::clone(&ready));
        let gate = Weak::clone(gate);
        let (n_wanted, held, is_done) = (0, None, false);
        let grouping = Grouping {
            start,
            inlet,
            key,
            limits,
            main,
            n_wanted,
            groups,
            ready,
            held,
            is_done,
            gate,
        };
        (grouping, Nobody, Inline)
    });
    Arc::new(PortSubscription::new(slot, None, Arc::clone(&gate) as Arc<dyn Wake>))
        .subscribe(downstream);
    source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    signal.give(gate);
}

/// The gate's own subscriber, who never asks: the ports have theirs.
struct Nobody;

impl Subscriber<Infallible> for Nobody {
    fn on_subscribe(&mut self, _: Arc<dyn Subscription>) {}
    fn on_next(&mut self, item: Infallible) {
        match item {}
    }
    fn on_error(self, _: Error) {}
    fn on_complete(self) {}
}

struct Grouping<K, T, F, S> {
    start: Start,
    inlet: Inlet<T>,
    key: F,
    limits: Limits,
    main: Port<S>,
    n_wanted: u64,
    groups: Groups<K, T>,
    ready: Arc<ReadySet>,
    held: Option<(K, T)>,
    /// The source has ended, or was canceled after a failure.
    is_done: bool,
    /// What the groups ring for.
    gate: Weak<Gate<Self, Nobody, Inline>>,
}

impl<K, T, F, S> Grouping<K, T, F, S>
where
    K: Eq + Hash + Clone + Send + 'static,
    T: Send + 'static,
    F: FnMut(&T) -> K + Send + 'static,
    S: Subscriber<Flow<Group<K, T>>>,
{
    /// Sees to what was asked for, and then to items, until there are none or one has no place.
    fn run(&mut self) {
        self.look();
        if !self.start.has_come() {
            return;
        }
        if self.n_wanted > 0 {
            self.inlet.start();
        }
        let mut n_until_look = PREFETCH;
        while !self.is_done && !self.is_over() {
            let (key, item) = match self.held.take() {
                Some(held) => held,
                None => match self.inlet.take_item() {
                    Some(item) => ((self.key)(&item), item),
                    None => break,
                },
            };
            self.held = self.place(key, item);
            if self.held.is_some() {
                return;
            }
            self.inlet.release(1);
            n_until_look -= 1;
            if n_until_look == 0 {
                n_until_look = PREFETCH;
                self.look();
            }
        }
        if !self.is_done
            && let Some(end) = self.inlet.end()
        {
            self.finish(end);
        }
    }

    /// Takes what the subscribers have asked since.
    fn look(&mut self) {
        // The order matters for invariant 3: a group that was replaced is gone before it is
        // counted.
        self.main.attend();
        self.ready.take(|index| self.groups.settle(index));
        let is_known = self.n_wanted > 0 && self.limits.policy == GroupPolicy::EvictOldest;
        if !is_known {
            let n_there = self.groups.n_there() as u64;
            self.n_wanted = self.n_wanted.max(self.main.demand().saturating_add(n_there));
        }
    }

    /// Whether nobody is left.
    fn is_over(&self) -> bool {
        self.main.is_over() && self.groups.n_there() == 0
    }

    /// Gives an item to its group; it comes back if it has no place.
    #[inline]
    fn place(&mut self, key: K, item: T) -> Option<(K, T)> {
        let Some(index) = self.groups.find(&key) else { return self.begin(key, item) };
        match self.groups.put(index, item) {
            Put::Done => None,
            Put::Full(item) => Some((key, item)),
            Put::Gone(item) => self.begin(key, item),
        }
    }

    /// Begins a group with its first item, if there is room for a group.
    fn begin(&mut self, key: K, item: T) -> Option<(K, T)> {
        let has_room = self.groups.n_open() < self.limits.max_groups && self.main.is_ready();
        if !has_room {
            // A group that has ended since the last look makes room.
            self.look();
        }
        if self.main.is_over() {
            return None;
        }
        if self.groups.n_open() == self.limits.max_groups {
            match self.limits.policy {
                GroupPolicy::Wait => return Some((key, item)),
                GroupPolicy::Fail => return self.overflow(format!(
                    "{} groups are open and another key came: raise max_groups, or let groups end",
                    self.limits.max_groups
                )),
                // By invariant 2.
                GroupPolicy::EvictOldest if self.groups.n_closing() == self.limits.max_groups => {
                    return Some((key, item));
                }
                GroupPolicy::EvictOldest => self.groups.evict_oldest(),
            }
        }
        if !self.main.is_ready() {
            return self.wait_for_demand(key, item);
        }
        let gate = self.gate.upgrade()?;
        let (index, group) = self.groups.open(key, gate);
        self.main.give(group);
        self.groups.put_first(index, item);
        None
    }

    /// The downstream asks for no group. It is about to, or it has as many as it ever takes.
    fn wait_for_demand(&mut self, key: K, item: T) -> Option<(K, T)> {
        if self.groups.n_there() as u64 >= self.n_wanted {
            match self.limits.policy {
                GroupPolicy::Wait => {}
                GroupPolicy::Fail => return self.overflow(format!(
                    "the downstream takes {} groups at a time and another key came: let it take as many \
                     as max_groups, which is {}",
                    self.n_wanted, self.limits.max_groups
                )),
                // One at a time: a consumer that takes group after group comes to the oldest first.
                GroupPolicy::EvictOldest if self.groups.n_closing() == 0 => {
                    self.groups.evict_oldest();
                }
                GroupPolicy::EvictOldest => {}
            }
        }
        Some((key, item))
    }

    fn overflow<H>(&mut self, message: String) -> Option<H> {
        self.fail(Error::new(ErrorKind::Overflow, message));
        None
    }

    fn fail(&mut self, error: Error) {
        self.inlet.cancel();
        self.finish(End::Failed(error));
    }

    /// Ends the groups, each after the items that wait in it, and then the flow of groups.
    fn finish(&mut self, end: End) {
        self.is_done = true;
        self.groups.close(&end);
        self.main.end(end);
    }
}

impl<K, T, F, S> Source for Grouping<K, T, F, S>
where
    K: Eq + Hash + Clone + Send + 'static,
    T: Send + 'static,
    F: FnMut(&T) -> K + Send + 'static,
    S: Subscriber<Flow<Group<K, T>>>,
{
    type Item = Infallible;
    const IS_WOKEN: bool = true;

    fn advance(&mut self) {
        if let Err(error) = caught(|| self.run()) {
            self.fail(error);
        }
    }

    fn next(&mut self) -> Step<Infallible> {
        Step::Pending
    }

    fn end(&mut self) -> Option<End> {
        if !self.is_over() {
            return None;
        }
        self.inlet.cancel();
        Some(End::Complete)
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
