//! `error`: a flow that has failed.

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, Publisher, Subscriber};

use crate::Flow;

/// No items, and an error.
///
/// # Demand
///
/// None is needed.
///
/// # Termination
///
/// Fails as soon as it is subscribed to.
///
/// # Examples
///
/// ```
/// use millstream::Error;
///
/// let error = millstream::error::<u8>(Error::message("no luck")).count().wait().unwrap_err();
/// assert_eq!(error.to_string(), "no luck");
/// ```
#[doc(alias = "throw")]
pub fn error<T: 'static>(error: Error) -> Flow<Failed<T>> {
    Flow { source: Failed { error, items: std::marker::PhantomData } }
}

/// Publisher returned by [`error`].
#[must_use = "publishers do nothing until subscribed to"]
pub struct Failed<T> {
    error: Error,
    items: std::marker::PhantomData<fn() -> T>,
}

impl<T> Clone for Failed<T> {
    fn clone(&self) -> Self {
        Self { error: self.error.clone(), items: std::marker::PhantomData }
    }
}

impl<T: 'static> Publisher for Failed<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        Gate::start(self, downstream);
    }

    fn give_all<F: FnMut(T)>(self, _: u64, _: F) -> Result<Result<(), Error>, Self> {
        Ok(Err(self.error))
    }
}

opaque_debug!(Failed<T>);
backpressure!(source Failed<T>);

impl<T: 'static> Source for Failed<T> {
    type Item = T;

    fn next(&mut self) -> Step<T> {
        Step::End(End::Failed(self.error.clone()))
    }

    fn end(&mut self) -> Option<End> {
        Some(End::Failed(self.error.clone()))
    }
}
