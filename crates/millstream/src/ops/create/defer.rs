//! `defer`: a flow that is made when it is subscribed to.

use millstream_kernel::guard::caught;
use reactive_streams::{Publisher, Subscriber};

use crate::{Backpressure, BackpressureKind, Bounded, Flow};

/// The flow that `make` returns, made anew for each subscriber.
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
/// let now = millstream::defer(|| millstream::just(std::process::id()));
/// assert_eq!(now.first().wait()?, Some(std::process::id()));
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn defer<F, P>(make: F) -> Flow<Defer<F>>
where
    F: FnOnce() -> P,
    P: Publisher<Item: 'static>,
{
    Flow { source: Defer { make } }
}

/// Publisher returned by [`defer`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Defer<F> {
    make: F,
}

impl<F, P> Publisher for Defer<F>
where
    F: FnOnce() -> P,
    P: Publisher<Item: 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        match caught(self.make) {
            Ok(publisher) => publisher.subscribe(downstream),
            Err(error) => crate::error(error).subscribe(downstream),
        }
    }
}

opaque_debug!(Defer<F>);

impl<F, P> Backpressure for Defer<F>
where
    F: FnOnce() -> P,
    P: Backpressure,
{
    const KIND: BackpressureKind = BackpressureKind::PassThrough;

    fn max_in_flight(&self) -> u64 {
        // The flow is made as it runs.
        0
    }
}

impl<F, P> Bounded for Defer<F>
where
    F: FnOnce() -> P,
    P: Bounded,
{
}
