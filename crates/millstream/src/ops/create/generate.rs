//! `generate`: items made from a state, one for each that is asked for.

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, Publisher, Subscriber};

use crate::Flow;

/// Items that `step` makes from a state: `Ok(Some(item))`, `Ok(None)` to complete, `Err` to fail.
///
/// # Demand
///
/// `step` is called once for each item that was asked for. A cancel from another thread is seen
/// before the next call.
///
/// # Termination
///
/// When `step` says so. If it panics, fails with an error of kind `Panicked`.
///
/// # Examples
///
/// ```
/// let powers = millstream::generate(1_u8, |n| {
///     let item = *n;
///     *n = n.checked_mul(2).ok_or_else(|| millstream::Error::message("too big"))?;
///     Ok(Some(item))
/// });
/// let powers = powers.take(3).collect::<Vec<_>>().wait()?;
/// assert_eq!(powers, [1, 2, 4]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "unfold")]
pub fn generate<A, T, F>(state: A, step: F) -> Flow<Generate<A, F>>
where
    A: Send + 'static,
    F: FnMut(&mut A) -> Result<Option<T>, Error> + Send + 'static,
{
    Flow { source: Generate { state, step } }
}

/// Publisher returned by [`generate`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Generate<A, F> {
    state: A,
    step: F,
}

impl<A, T, F> Publisher for Generate<A, F>
where
    A: Send + 'static,
    F: FnMut(&mut A) -> Result<Option<T>, Error> + Send + 'static,
{
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        Gate::start(self, downstream);
    }
}

opaque_debug!(Generate<A, F>);
backpressure!(source Generate<A, F>);

impl<A, T, F> Source for Generate<A, F>
where
    A: Send + 'static,
    F: FnMut(&mut A) -> Result<Option<T>, Error> + Send + 'static,
{
    type Item = T;

    // A step may take long.
    const CHUNK: u64 = 1;

    fn next(&mut self) -> Step<T> {
        match (self.step)(&mut self.state) {
            Ok(Some(item)) => Step::Item(item),
            Ok(None) => Step::End(End::Complete),
            Err(error) => Step::End(End::Failed(error)),
        }
    }
}
