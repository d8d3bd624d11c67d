//! `for_each_async`: a future for each item.

use std::future::Future;

use reactive_streams::Publisher;

use crate::{Flow, Outcome};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and awaits the future that `f` makes of each item, one at a time.
    ///
    /// The futures are polled on the [ambient](crate::scheduler::ambient) scheduler.
    /// For several at a time, use [`map_async`](Self::map_async) with a
    /// [`for_each`](Self::for_each).
    ///
    /// # Demand
    ///
    /// One item at a time: the next one is asked for when the future of the last is done.
    ///
    /// # Termination
    ///
    /// The outcome is `()` when the flow and the last future complete, and the error when the flow
    /// fails. If a future panics, the flow is canceled, and the outcome is an error of kind
    /// `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// millstream::range(0..3).for_each_async(|n| async move { println!("{n}") }).wait()?;
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn for_each_async<F, Fut>(self, f: F) -> Outcome<()>
    where
        P::Item: Send + 'static,
        F: FnMut(P::Item) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.map_async(1, f).for_each(|()| {})
    }
}
