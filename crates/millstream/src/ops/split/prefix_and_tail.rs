//! `prefix_and_tail`: the first items, and the rest as a flow.

use std::sync::Weak;

use millstream_kernel::{End, Step, Wake};
use reactive_streams::{Publisher, Subscriber};

use super::window::{Feed, Flows, Inner, inner, start};
use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, check_capacity, inlet},
    },
};

/// The most items that room is made for before they are there.
const ROOM: usize = 1024;

impl<P: Publisher> Flow<P> {
    /// Collects the first `n` items, and passes them on with a flow of the others: one item.
    ///
    /// The vector is shorter if the source ends before, and the flow of the others is empty then.
    ///
    /// # Demand
    ///
    /// When the pair is asked for, `n` items are asked for, and as soon as it is passed on, as many
    /// as the flow of the others may hold: up to 32 items, or `n` if that is more, wait here, and
    /// as many in the flow of the others, which takes them ahead of its subscriber.
    ///
    /// # Termination
    ///
    /// The flow of the others completes and fails with the source, and so does this one after it.
    /// A source that fails before it has given `n` items fails the flow of the others and not the
    /// pair, so that the items before the failure are not lost.
    /// A cancel, such as by [`first`](Self::first), does not end the flow of the others; when that
    /// is canceled as well, or dropped, the source is canceled.
    ///
    /// # Panics
    ///
    /// If `n` is above 16 777 216.
    ///
    /// # Examples
    ///
    /// ```
    /// let lines = millstream::from_iter(["name", "age", "Ada", "36"]);
    /// let pair = lines.prefix_and_tail(2).first().wait()?;
    /// let (header, body) = pair.unwrap_or_else(|| unreachable!("there is always one"));
    /// assert_eq!(header, ["name", "age"]);
    /// assert_eq!(body.collect::<Vec<_>>().wait()?, ["Ada", "36"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn prefix_and_tail(self, n: usize) -> Flow<PrefixAndTail<P>>
    where
        P::Item: Send + 'static,
    {
        check_capacity(n.max(1));
        Flow { source: PrefixAndTail { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::prefix_and_tail`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct PrefixAndTail<P> {
    source: P,
    n: usize,
}

impl<P> Publisher for PrefixAndTail<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = (Vec<P::Item>, Flow<Tail<P::Item>>);

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, n } = self;
        let capacity = n.max(PREFETCH);
        let (entrance, inlet) = inlet(capacity);
        let gate = start(downstream, move |gate| Split {
            inlet,
            gate,
            n,
            capacity,
            is_asked: false,
            prefix: Vec::with_capacity(n.min(ROOM)),
            stage: Stage::Prefix,
        });
        source.subscribe(entrance.subscriber(gate));
    }
}

backpressure!(PrefixAndTail<P>, Queue, |this| this.n.max(PREFETCH));
opaque_debug!(PrefixAndTail<P>);

/// The items of a flow after the first ones: see [`Flow::prefix_and_tail`].
///
/// It serves one subscriber, who may come at any time and from any thread. Dropped, it is canceled.
#[must_use = "publishers do nothing until subscribed to, and the items of one that is dropped are lost"]
pub struct Tail<T> {
    inner: Inner<T>,
    capacity: usize,
}

impl<T: Send + 'static> Publisher for Tail<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        self.inner.subscribe(downstream);
    }
}

impl<T> Backpressure for Tail<T> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.capacity as u64
    }
}

impl<T> Bounded for Tail<T> {}
opaque_debug!(Tail<T>);

struct Split<T> {
    inlet: Inlet<T>,
    /// What the tail wakes.
    gate: Weak<dyn Wake>,
    n: usize,
    capacity: usize,
    /// Whether the first items were asked for.
    is_asked: bool,
    prefix: Vec<T>,
    stage: Stage<T>,
}

enum Stage<T> {
    Prefix,
    /// The tail is filled.
    Tail(Feed<T>),
    /// The tail has ended in this way, or nobody takes of it any more.
    Over(End),
}

impl<T: Send + 'static> Split<T> {
    /// Takes the first items. How the source has ended, if before the last of them;
    /// `Pending` if they are not all there.
    fn take_prefix(&mut self) -> Step<Option<End>> {
        if !self.is_asked && self.n > 0 {
            self.is_asked = true;
            self.inlet.request(self.n as u64);
        }
        while self.prefix.len() < self.n {
            match self.inlet.take() {
                Step::Item(item) => self.prefix.push(item),
                Step::Pending => return Step::Pending,
                Step::End(end) => return Step::Item(Some(end)),
            }
        }
        Step::Item(None)
    }

    /// Moves what is there into the tail.
    fn fill(&mut self) {
        let Stage::Tail(feed) = &mut self.stage else { return };
        let mut n_moved = 0;
        let end = loop {
            if feed.is_closed() {
                self.inlet.cancel();
                break Some(End::Complete);
            }
            if feed.n_waiting() >= self.capacity {
                break self.inlet.end();
            }
            match self.inlet.next() {
                Step::Item(item) => {
                    n_moved += 1;
                    // There is a place, or nobody who takes.
                    drop(feed.push(item));
                }
                Step::Pending => break None,
                Step::End(end) => break Some(end),
            }
        };
        if let Some(end) = end {
            self.finish(end);
        } else if n_moved > 0 {
            feed.flush();
        }
    }

    fn finish(&mut self, end: End) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over(end.clone()));
        if let Stage::Tail(feed) = stage {
            feed.end(end);
        }
    }
}

impl<T: Send + 'static> Flows for Split<T> {
    type Flow = (Vec<T>, Flow<Tail<T>>);

    fn next(&mut self) -> Step<Self::Flow> {
        match &self.stage {
            Stage::Prefix => {}
            Stage::Tail(_) => return Step::Pending,
            Stage::Over(end) => return Step::End(end.clone()),
        }
        let end = match self.take_prefix() {
            Step::Item(end) => end,
            Step::Pending | Step::End(_) => return Step::Pending,
        };
        let Some(gate) = self.gate.upgrade() else { return Step::Pending };
        let (feed, inner) = inner(self.capacity, self.capacity, gate);
        self.stage = Stage::Tail(feed);
        match end {
            Some(end) => self.finish(end),
            None => self.fill(),
        }
        let tail = Flow { source: Tail { inner, capacity: self.capacity } };
        Step::Item((std::mem::take(&mut self.prefix), tail))
    }

    fn advance(&mut self, _: bool) {
        self.fill();
    }

    fn end(&mut self) -> Option<End> {
        match &self.stage {
            Stage::Over(end) => Some(end.clone()),
            Stage::Prefix | Stage::Tail(_) => None,
        }
    }

    fn is_needed(&self) -> bool {
        matches!(&self.stage, Stage::Tail(feed) if !feed.is_closed())
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
