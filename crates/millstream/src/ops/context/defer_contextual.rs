//! `defer_contextual`: a flow that is made for its downstream.

use reactive_streams::{Publisher, Subscriber};

use crate::{Backpressure, BackpressureKind, Bounded, Context, Flow};

/// The flow that `make` returns for the [`Context`] of the downstream, made anew for each
/// subscriber.
///
/// # Demand
///
/// The made flow's.
///
/// # Termination
///
/// The made flow's. If `make` panics, fails with an error of kind `Panicked`.
///
/// # Examples
///
/// ```
/// use millstream::{Context, defer_contextual, range};
///
/// struct PageSize(u64);
///
/// let rows = defer_contextual(|context: &Context| {
///     range(0..context.get::<PageSize>().map_or(100, |size| size.0))
/// });
/// assert_eq!(rows.clone().count().wait()?, 100);
/// assert_eq!(rows.context_write(|context| context.with(PageSize(5))).count().wait()?, 5);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn defer_contextual<F, P>(make: F) -> Flow<DeferContextual<F>>
where
    F: FnOnce(&Context) -> P,
    P: Publisher<Item: 'static>,
{
    Flow { source: DeferContextual { make } }
}

/// Publisher returned by [`defer_contextual`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct DeferContextual<F> {
    make: F,
}

impl<F, P> Publisher for DeferContextual<F>
where
    F: FnOnce(&Context) -> P,
    P: Publisher<Item: 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        crate::defer(|| (self.make)(&Context::current())).subscribe(downstream);
    }
}

opaque_debug!(DeferContextual<F>);

impl<F, P> Backpressure for DeferContextual<F>
where
    F: FnOnce(&Context) -> P,
    P: Backpressure,
{
    const KIND: BackpressureKind = BackpressureKind::PassThrough;

    fn max_in_flight(&self) -> u64 {
        // The flow is made as it runs.
        0
    }
}

impl<F, P> Bounded for DeferContextual<F>
where
    F: FnOnce(&Context) -> P,
    P: Bounded,
{
}
