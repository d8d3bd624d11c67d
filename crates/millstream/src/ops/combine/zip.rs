//! `zip`: the items of several flows, row by row.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
        start::Start,
    },
};

/// The items of two to eight flows, row by row: the first of each, the second of each, and so on.
///
/// Takes a tuple of flows, and gives tuples of their items.
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and for 24
/// more whenever as many rows were passed on. Up to 32 items of each flow wait for the others.
///
/// # Termination
///
/// Completes with the first flow that completes, and fails with the first that fails, after the
/// rows that its items are part of; the others are canceled, and what waits of them is dropped.
/// A cancel reaches every flow.
///
/// # Examples
///
/// ```
/// use millstream::{from_iter, range, zip};
///
/// let rows = zip((range(1_u8..), from_iter("abc".chars()), range(7_u8..)));
/// let rows = rows.collect::<Vec<_>>().wait()?;
/// assert_eq!(rows, [(1, 'a', 7), (2, 'b', 8), (3, 'c', 9)]);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn zip<F>(flows: F) -> Flow<Zip<F>>
where
    Zip<F>: Publisher,
{
    Flow { source: Zip { flows } }
}

impl<P: Publisher> Flow<P> {
    /// Pairs the items of this flow with those of `other`. For more than two flows, see [`zip`].
    ///
    /// # Demand
    ///
    /// As [`zip`].
    ///
    /// # Termination
    ///
    /// As [`zip`].
    ///
    /// # Examples
    ///
    /// ```
    /// let pairs = millstream::range(0..9).zip(millstream::from_iter(["a", "b"]));
    /// assert_eq!(pairs.collect::<Vec<_>>().wait()?, [(0, "a"), (1, "b")]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "zip_with")]
    pub fn zip<Q: Publisher>(self, other: Q) -> Flow<Zip<(P, Q)>> {
        Flow { source: Zip { flows: (self.source, other) } }
    }
}

/// Publisher returned by [`zip`] and [`Flow::zip`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Zip<F> {
    flows: F,
}

opaque_debug!(Zip<F>);

/// One flow's part of the rows.
pub(super) struct Column<T> {
    pub(super) inlet: Inlet<T>,
    /// Its item of the next row.
    pub(super) item: Option<T>,
}

impl<T> Column<T> {
    pub(super) fn new(inlet: Inlet<T>) -> Self {
        Self { inlet, item: None }
    }

    /// Sees to the item of the next row.
    pub(super) fn fill(&mut self) -> Step<()> {
        self.inlet.start();
        if self.item.is_some() {
            return Step::Item(());
        }
        match self.inlet.take() {
            Step::Item(item) => {
                self.item = Some(item);
                Step::Item(())
            }
            Step::Pending => Step::Pending,
            Step::End(end) => Step::End(end),
        }
    }

    /// How the flow ended, if the next row is to be without it.
    pub(super) fn end(&mut self) -> Option<End> {
        if self.item.is_some() { None } else { self.inlet.end() }
    }
}

/// What a row is made of: a tuple of columns.
trait Columns: Send + 'static {
    type Row;

    fn next(&mut self) -> Step<Self::Row>;
    fn end(&mut self) -> Option<End>;
    fn cancel(&self);
}

struct ZipSource<C> {
    start: Start,
    columns: C,
}

impl<C: Columns> Source for ZipSource<C> {
    type Item = C::Row;
    const IS_WOKEN: bool = true;

    #[inline]
    fn next(&mut self) -> Step<C::Row> {
        if !self.start.has_come() {
            return Step::Pending;
        }
        let step = self.columns.next();
        if let Step::End(_) = &step {
            self.columns.cancel();
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

/// Implements `zip` for tuples: a name for each flow's type and for its column.
macro_rules! zip {
    ($($P:ident $column:ident),+) => {
        impl<$($P),+> Publisher for Zip<($($P,)+)>
        where
            $($P: Publisher<Item: Send + 'static>),+
        {
            type Item = ($($P::Item,)+);

            fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
                let ($($column,)+) = self.flows;
                $(let $column = ($column, inlet(PREFETCH));)+
                let columns = ($(Column::new($column.1.1),)+);
                let (signal, start) = Start::new();
                let source = ZipSource { start, columns };
                let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
                $($column.1.0.subscribe_to($column.0, Arc::clone(&gate));)+
                signal.give(gate);
            }
        }

        impl<$($P: Backpressure),+> Backpressure for Zip<($($P,)+)> {
            const KIND: BackpressureKind = BackpressureKind::Queue;

            fn max_in_flight(&self) -> u64 {
                let ($($column,)+) = &self.flows;
                0_u64$(.saturating_add($column.max_in_flight()).saturating_add(PREFETCH as u64 + 1))+
            }
        }

        impl<$($P: Bounded),+> Bounded for Zip<($($P,)+)> {}

        impl<$($P: Send + 'static),+> Columns for ($(Column<$P>,)+) {
            type Row = ($($P,)+);

            #[inline]
            fn next(&mut self) -> Step<Self::Row> {
                let ($($column,)+) = self;
                let mut is_full = true;
                // All of them, because one that has ended ends the rows whatever the others do.
                $(match $column.fill() {
                    Step::Item(()) => {}
                    Step::Pending => is_full = false,
                    Step::End(end) => return Step::End(end),
                })+
                if !is_full {
                    return Step::Pending;
                }
                $($column.inlet.release(1);)+
                match ($($column.item.take(),)+) {
                    ($(Some($column),)+) => Step::Item(($($column,)+)),
                    _ => Step::Pending,
                }
            }

            fn end(&mut self) -> Option<End> {
                let ($($column,)+) = self;
                None$(.or_else(|| $column.end()))+
            }

            fn cancel(&self) {
                let ($($column,)+) = self;
                $($column.inlet.cancel();)+
            }
        }
    };
}

zip!(A a, B b);
zip!(A a, B b, C c);
zip!(A a, B b, C c, D d);
zip!(A a, B b, C c, D d, E e);
zip!(A a, B b, C c, D d, E e, F f);
zip!(A a, B b, C c, D d, E e, F f, G g);
zip!(A a, B b, C c, D d, E e, F f, G g, H h);
