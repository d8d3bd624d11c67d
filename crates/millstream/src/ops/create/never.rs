//! `never`: no signal but the subscription.

use millstream_kernel::{Gate, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::Flow;

/// No items and no end.
///
/// # Demand
///
/// Taken and never met.
///
/// # Termination
///
/// None; the subscriber is dropped when it cancels.
///
/// # Examples
///
/// ```
/// use millstream_testkit::Probe;
///
/// let (probe, subscriber) = Probe::new();
/// millstream::never::<u8>().subscribe(subscriber);
/// probe.request(1);
/// assert!(probe.items().is_empty() && !probe.is_ended());
/// probe.cancel();
/// assert!(probe.is_dropped());
/// ```
pub fn never<T: 'static>() -> Flow<Never<T>> {
    Flow { source: Never(std::marker::PhantomData) }
}

/// Publisher returned by [`never()`].
#[must_use = "publishers do nothing until subscribed to"]
pub struct Never<T>(std::marker::PhantomData<fn() -> T>);

impl<T> Clone for Never<T> {
    fn clone(&self) -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: 'static> Publisher for Never<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        Gate::start(NeverSource(self.0), downstream);
    }
}

opaque_debug!(Never<T>);
backpressure!(source Never<T>);

struct NeverSource<T>(std::marker::PhantomData<fn() -> T>);

impl<T: 'static> Source for NeverSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        Step::Pending
    }
}
