//! What a publisher does about demand, stated by its type, so that the compiler can ask for a
//! bound.

use reactive_streams::Publisher;

use crate::Flow;

/// What a publisher does about demand.
///
/// Each operator of this crate states it by its type; [`Bounded`] are those of which nothing is
/// without bound. A publisher that states nothing, such as [`BoxPublisher`](crate::BoxPublisher),
/// whose type does not say what is inside, has neither.
pub trait Backpressure {
    /// The kind of this stage.
    const KIND: BackpressureKind;

    /// The most items that this publisher and those above it hold at a time, on their way to the
    /// subscriber or being worked on; `u64::MAX` is without bound.
    ///
    /// Flows that are made as it runs, such as those of [`concat_map`](Flow::concat_map), add what
    /// they hold themselves. What stands outside of the flow, such as a channel, has its own bound.
    fn max_in_flight(&self) -> u64;
}

/// Kinds of stages, by what they do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackpressureKind {
    /// Makes an item when one is asked for, and holds none.
    Source,
    /// Passes requests on as they are, or in part, and holds no item.
    PassThrough,
    /// Asks by itself for as many items as it has places for.
    Queue,
    /// Asks for everything, and drops what is too much, or fails.
    Shed,
    /// Asks for everything, and holds all that comes.
    Unbounded,
}

/// A publisher that holds a limited number of items, and so do those above it.
///
/// It is implemented beside [`Backpressure`], by all but publishers of the kind
/// [`Unbounded`](BackpressureKind::Unbounded) and those that have one of these above them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not state that it holds a limited number of items",
    label = "something in this flow is without bound, or states nothing",
    note = "a stage of another crate states it by implementing `Backpressure` and `Bounded`",
    note = "a type that was erased by `boxed` states nothing: check the flow before"
)]
pub trait Bounded: Backpressure {}

/// Lets a flow pass of which the compiler knows that it holds a limited number of items, and no
/// other.
///
/// # Examples
///
/// ```
/// use millstream::{Backpressure, assert_bounded, range, scheduler::Pool};
///
/// let flow = range(0..9).map_async(4, |n| async move { n }).publish_on(&Pool::new(1))
///     .capacity(16);
/// assert_eq!(assert_bounded(flow).max_in_flight(), 20);
/// ```
///
/// A stage that is without bound, anywhere in the flow, does not compile:
///
/// ```compile_fail,E0277
/// # use millstream::{Backpressure, BackpressureKind, Flow, Publisher, Subscriber, assert_bounded,
/// #     range};
/// /// Holds everything that comes.
/// struct Hoard<P>(P);
///
/// impl<P: Publisher> Publisher for Hoard<P> {
///     type Item = P::Item;
///     fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
///         // As many as come.
///         # self.0.subscribe(downstream);
///     }
/// }
///
/// impl<P> Backpressure for Hoard<P> {
///     const KIND: BackpressureKind = BackpressureKind::Unbounded;
///     fn max_in_flight(&self) -> u64 {
///         u64::MAX
///     }
/// }
///
/// assert_bounded(Flow::from(Hoard(range(0..9))).map(|n| n).take(3));
/// ```
///
/// Nor does one whose type was erased:
///
/// ```compile_fail,E0277
/// # use millstream::{assert_bounded, range};
/// assert_bounded(range(0..9).boxed());
/// ```
pub const fn assert_bounded<P: Publisher + Bounded>(flow: Flow<P>) -> Flow<P> {
    flow
}

impl<P: Backpressure> Backpressure for Flow<P> {
    const KIND: BackpressureKind = P::KIND;

    fn max_in_flight(&self) -> u64 {
        self.source.max_in_flight()
    }
}

impl<P: Bounded> Bounded for Flow<P> {}

/// States what a publisher does about demand: `backpressure!(source Range<T>)`,
/// `backpressure!(Map<P, F>, PassThrough)` with the publisher above in the field `source` and its
/// type first, or `backpressure!(PublishOn<P>, Queue, |this| this.capacity)` with the items that it
/// holds.
///
/// Those with several above them: `backpressure!(two Zip<P, Q>, first + second, ..)`, where `+` is
/// for flows that run at the same time, and `max` for those that do not;
/// `backpressure!(list Merge<P>, ..)` with the items held of each in the field `flows`;
/// `backpressure!(inner FlatMap<P, F>, ..)` where `F` makes flows of items.
///
/// The macro names the parameters alone: a publisher whose struct has bounds on them implements
/// [`Backpressure`](crate::Backpressure) and [`Bounded`](crate::Bounded) by hand.
#[macro_export]
macro_rules! backpressure {
    (source $name:ident) => {
        impl $crate::Backpressure for $name {
            const KIND: $crate::BackpressureKind = $crate::BackpressureKind::Source;

            fn max_in_flight(&self) -> u64 {
                0
            }
        }

        impl $crate::Bounded for $name {}
    };
    (two $name:ident <$p:ident, $q:ident>, $first:ident $join:ident $second:ident, $kind:ident, |$this:ident| $held:expr) => {
        impl<$p: $crate::Backpressure, $q: $crate::Backpressure> $crate::Backpressure
            for $name<$p, $q>
        {
            const KIND: $crate::BackpressureKind = $crate::BackpressureKind::$kind;

            fn max_in_flight(&self) -> u64 {
                let $this = self;
                let first = $crate::Backpressure::max_in_flight(&self.$first);
                let second = $crate::Backpressure::max_in_flight(&self.$second);
                first.$join(second).saturating_add($held as u64)
            }
        }

        impl<$p: $crate::Bounded, $q: $crate::Bounded> $crate::Bounded for $name<$p, $q> {}
    };
    (list $name:ident <$p:ident>, $kind:ident, |$this:ident| $held:expr) => {
        impl<$p: $crate::Backpressure> $crate::Backpressure for $name<$p> {
            const KIND: $crate::BackpressureKind = $crate::BackpressureKind::$kind;

            fn max_in_flight(&self) -> u64 {
                let $this = self;
                let each = self.flows.iter().map($crate::Backpressure::max_in_flight);
                each.fold(0, |sum: u64, n| sum.saturating_add(n).saturating_add($held as u64))
            }
        }

        impl<$p: $crate::Bounded> $crate::Bounded for $name<$p> {}
    };
    (inner $name:ident <$p:ident, $f:ident>, $kind:ident, |$this:ident| $held:expr) => {
        impl<$p, $f, Q> $crate::Backpressure for $name<$p, $f>
        where
            $p: $crate::Publisher + $crate::Backpressure,
            $f: FnMut($p::Item) -> Q,
            Q: $crate::Backpressure,
        {
            const KIND: $crate::BackpressureKind = $crate::BackpressureKind::$kind;

            fn max_in_flight(&self) -> u64 {
                let $this = self;
                $crate::Backpressure::max_in_flight(&self.source).saturating_add($held as u64)
            }
        }

        impl<$p, $f, Q> $crate::Bounded for $name<$p, $f>
        where
            $p: $crate::Publisher + $crate::Bounded,
            $f: FnMut($p::Item) -> Q,
            Q: $crate::Bounded,
        {
        }
    };
    (source $name:ident < $($param:ident),+ >) => {
        impl<$($param),+> $crate::Backpressure for $name<$($param),+> {
            const KIND: $crate::BackpressureKind = $crate::BackpressureKind::Source;

            fn max_in_flight(&self) -> u64 {
                0
            }
        }

        impl<$($param),+> $crate::Bounded for $name<$($param),+> {}
    };
    ($name:ident < $source:ident $(, $param:ident)* >, $kind:ident) => {
        $crate::backpressure!($name<$source $(, $param)*>, $kind, |_this| 0_usize);
    };
    ($name:ident < $source:ident $(, $param:ident)* >, $kind:ident, |$this:ident| $held:expr) => {
        impl<$source: $crate::Backpressure $(, $param)*> $crate::Backpressure
            for $name<$source $(, $param)*>
        {
            const KIND: $crate::BackpressureKind = $crate::BackpressureKind::$kind;

            fn max_in_flight(&self) -> u64 {
                let $this = self;
                $crate::Backpressure::max_in_flight(&self.source).saturating_add($held as u64)
            }
        }

        impl<$source: $crate::Bounded $(, $param)*> $crate::Bounded
            for $name<$source $(, $param)*>
        {
        }
    };
}
