//! `from_fn`: one item that is made when it is asked for.

use std::iter::FusedIterator;

use reactive_streams::{Publisher, Subscriber};

use crate::Flow;

/// One item, made by `f` when it is asked for.
///
/// # Demand
///
/// `f` runs with the first request, on the thread that makes it.
///
/// # Termination
///
/// Completes right after the item. If `f` panics, fails with an error of kind `Panicked`.
///
/// # Examples
///
/// ```
/// assert_eq!(millstream::from_fn(|| 6 * 7).first().wait()?, Some(42));
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "from_callable")]
pub fn from_fn<T, F>(f: F) -> Flow<FromFn<F>>
where
    F: FnOnce() -> T + Send + 'static,
{
    Flow { source: FromFn { f } }
}

/// Publisher returned by [`from_fn`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FromFn<F> {
    f: F,
}

impl<T, F> Publisher for FromFn<F>
where
    F: FnOnce() -> T + Send + 'static,
{
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        crate::from_iter(Once(Some(self.f))).subscribe(downstream);
    }
}

opaque_debug!(FromFn<F>);
backpressure!(source FromFn<F>);

struct Once<F>(Option<F>);

impl<T, F: FnOnce() -> T> Iterator for Once<F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.take().map(|f| f())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = usize::from(self.0.is_some());
        (n, Some(n))
    }
}

impl<T, F: FnOnce() -> T> FusedIterator for Once<F> {}
