//! `combine_latest`: the latest items of several flows, whenever one of them changes.
//!
//! Each flow has an inlet, and rings when it has something; the bells leave the numbers of their
//! flows in one queue, so that items are combined in the order in which they came, also after a
//! pause.
//!
//! # Invariants
//!
//! 1. Each item that waits in an inlet, and each end, is followed by a number in the queue and a
//!    wake-up; there may be numbers for nothing.
//! 2. A number is taken for each item that is taken, so the queue needs a place for each place of
//!    the inlets, and for two numbers more of each: its end, and an overflow before it.

use std::sync::{Arc, Weak};

use millstream_kernel::{Capacity, End, Gate, Inline, Source, Step, Wake, mpsc};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
        start::Start,
    },
};

/// The latest items of two to eight flows, whenever one of them has a new one.
///
/// Takes a tuple of flows, and gives tuples of their items.
/// The first comes when each flow has given an item; from then on every item makes a tuple, with
/// clones of the latest of the others. Where items have to wait, they are combined in the order in
/// which they came.
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and for 24
/// more whenever as many were combined. Up to 32 items of each flow wait.
///
/// # Termination
///
/// Completes when all flows have completed, or one of them without an item.
/// Fails with the first that fails, after its items; the others are canceled, and what waits of
/// them is dropped. A cancel reaches every flow.
///
/// # Examples
///
/// ```
/// use millstream::combine_latest;
/// use millstream_testkit::marbles::{check_in_time, source};
///
/// check_in_time(
///     "-a----b-----|",
///     |letters, clock| {
///         let numbers = source("---1----2-|", clock);
///         combine_latest((letters, numbers)).map(|(letter, number)| format!("{letter}{number}"))
///     },
///     "---[a1]--[b1]-[b2]---|",
/// );
/// ```
pub fn combine_latest<F>(flows: F) -> Flow<CombineLatest<F>>
where
    CombineLatest<F>: Publisher,
{
    Flow { source: CombineLatest { flows } }
}

impl<P: Publisher> Flow<P> {
    /// Pairs the latest items of this flow and of `other`, whenever one of them has a new one.
    /// For more than two flows, see [`combine_latest`].
    ///
    /// # Demand
    ///
    /// As [`combine_latest`].
    ///
    /// # Termination
    ///
    /// As [`combine_latest`].
    ///
    /// # Examples
    ///
    /// ```
    /// let pairs = millstream::just('a').combine_latest(millstream::just(1));
    /// assert_eq!(pairs.collect::<Vec<_>>().wait()?, [('a', 1)]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "zip_latest")]
    pub fn combine_latest<Q: Publisher>(self, other: Q) -> Flow<CombineLatest<(P, Q)>> {
        Flow { source: CombineLatest { flows: (self.source, other) } }
    }
}

/// Publisher returned by [`combine_latest`] and [`Flow::combine_latest`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct CombineLatest<F> {
    flows: F,
}

opaque_debug!(CombineLatest<F>);

/// One flow's part of the tuples.
struct Column<T> {
    inlet: Inlet<T>,
    latest: Option<T>,
    /// Items whose places were not yet given up.
    n_taken: u64,
    is_done: bool,
}

impl<T> Column<T> {
    fn new(inlet: Inlet<T>) -> Self {
        Self { inlet, latest: None, n_taken: 0, is_done: false }
    }

    /// Takes what the flow's number in the queue stands for: an item, how everything ends, or
    /// nothing.
    fn receive(&mut self) -> Step<()> {
        if self.is_done {
            return Step::Pending;
        }
        match self.inlet.take() {
            Step::Item(item) => {
                self.latest = Some(item);
                self.n_taken += 1;
                Step::Item(())
            }
            Step::Pending => Step::Pending,
            Step::End(end) => self.leave(end).map_or(Step::Pending, Step::End),
        }
    }

    /// How everything ends, if this flow has ended in a way that says so.
    fn end(&mut self) -> Option<End> {
        if self.is_done {
            return None;
        }
        self.inlet.end().and_then(|end| self.leave(end))
    }

    fn leave(&mut self, end: End) -> Option<End> {
        self.is_done = true;
        match end {
            // There will never be a tuple.
            End::Complete if self.latest.is_none() => Some(End::Complete),
            End::Complete => None,
            failed @ End::Failed(_) => Some(failed),
        }
    }

    fn release(&mut self) {
        let n = std::mem::take(&mut self.n_taken);
        if n > 0 {
            self.inlet.release(n);
        }
    }
}

/// What a tuple is made of: a tuple of columns.
trait Columns: Send + 'static {
    type Tuple;

    fn start(&mut self);
    fn receive(&mut self, index: usize) -> Step<()>;
    fn tuple(&self) -> Option<Self::Tuple>;
    fn release(&mut self);
    fn end(&mut self) -> Option<End>;
    fn cancel(&self);
}

/// Leaves the number of a flow in the queue, and wakes the gate.
struct Bell<G> {
    index: usize,
    order: mpsc::Sender<usize>,
    gate: Arc<G>,
}

impl<G: Wake> Wake for Bell<G> {
    fn wake(&self) {
        // There is a place (invariant 2).
        let pushed = self.order.push(self.index);
        debug_assert!(pushed.is_ok(), "a flow rings no more often than its inlet has places");
        self.gate.wake();
    }
}

struct CombineLatestSource<C> {
    start: Start,
    columns: C,
    order: mpsc::Receiver<usize>,
}

impl<C: Columns> CombineLatestSource<C> {
    /// The next tuple. What comes while the places of a batch are given up waits for the next look,
    /// so that flows that never stop leave room for a cancel.
    fn tuple(&mut self) -> Step<C::Tuple> {
        while let Some(index) = self.order.pop() {
            match self.columns.receive(index) {
                Step::Item(()) => {}
                Step::Pending => continue,
                Step::End(end) => return Step::End(end),
            }
            if let Some(tuple) = self.columns.tuple() {
                return Step::Item(tuple);
            }
        }
        self.columns.end().map_or(Step::Pending, Step::End)
    }
}

impl<C: Columns> Source for CombineLatestSource<C> {
    type Item = C::Tuple;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<C::Tuple> {
        if !self.start.has_come() {
            return Step::Pending;
        }
        self.columns.start();
        let step = self.tuple();
        match step {
            Step::Item(_) | Step::Pending => self.columns.release(),
            Step::End(_) => self.columns.cancel(),
        }
        step
    }

    fn end(&mut self) -> Option<End> {
        let end = self.columns.end()?;
        self.columns.cancel();
        Some(end)
    }

    fn cancel(&mut self) {
        self.columns.cancel();
    }
}

/// Implements `combine_latest` for tuples: a name for each flow's type and for its column, and
/// their numbers.
macro_rules! combine_latest {
    ($($P:ident $column:ident $index:tt),+) => {
        impl<$($P),+> Publisher for CombineLatest<($($P,)+)>
        where
            $($P: Publisher<Item: Clone + Send + 'static>),+
        {
            type Item = ($($P::Item,)+);

            fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
                let ($($column,)+) = self.flows;
                $(let $column = ($column, inlet(PREFETCH));)+
                let columns = ($(Column::new($column.1.1),)+);
                let n_places = [$($index),+].len() * (PREFETCH + 2);
                let (sender, order) = mpsc::bounded(Capacity::of(n_places));
                let (signal, start) = Start::new();
                let source = CombineLatestSource { start, columns, order };
                let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
                $(
                    let (order, gate_of_bell) = (sender.clone(), Arc::clone(&gate));
                    let bell = Bell { index: $index, order, gate: gate_of_bell };
                    $column.1.0.subscribe_to($column.0, bell);
                )+
                signal.give(gate);
            }
        }

        impl<$($P: Backpressure),+> Backpressure for CombineLatest<($($P,)+)> {
            const KIND: BackpressureKind = BackpressureKind::Queue;

            fn max_in_flight(&self) -> u64 {
                let ($($column,)+) = &self.flows;
                0_u64$(.saturating_add($column.max_in_flight()).saturating_add(PREFETCH as u64 + 1))+
            }
        }

        impl<$($P: Bounded),+> Bounded for CombineLatest<($($P,)+)> {}

        impl<$($P: Clone + Send + 'static),+> Columns for ($(Column<$P>,)+) {
            type Tuple = ($($P,)+);

            fn start(&mut self) {
                $(self.$index.inlet.start();)+
            }

            fn receive(&mut self, index: usize) -> Step<()> {
                match index {
                    $($index => self.$index.receive(),)+
                    _ => Step::Pending,
                }
            }

            fn tuple(&self) -> Option<Self::Tuple> {
                Some(($(self.$index.latest.clone()?,)+))
            }

            fn release(&mut self) {
                $(self.$index.release();)+
            }

            fn end(&mut self) -> Option<End> {
                $(if let Some(end) = self.$index.end() {
                    return Some(end);
                })+
                ($(self.$index.is_done)&&+).then_some(End::Complete)
            }

            fn cancel(&self) {
                $(self.$index.inlet.cancel();)+
            }
        }
    };
}

combine_latest!(A a 0, B b 1);
combine_latest!(A a 0, B b 1, C c 2);
combine_latest!(A a 0, B b 1, C c 2, D d 3);
combine_latest!(A a 0, B b 1, C c 2, D d 3, E e 4);
combine_latest!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
combine_latest!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6);
combine_latest!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7);
