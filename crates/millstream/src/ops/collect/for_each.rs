//! `for_each`: a closure for each item.

use std::ops::ControlFlow;

use reactive_streams::Publisher;

use crate::{Flow, Outcome, parts::terminal};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and calls `f` with each item.
    ///
    /// # Demand
    ///
    /// Unbounded: `f` holds the flow up while it runs, so that a synchronous source keeps its pace.
    /// Where threads are crossed before, [`limit_rate`](Self::limit_rate) or the capacity of
    /// [`publish_on`](Self::publish_on) bounds what waits.
    ///
    /// # Termination
    ///
    /// The outcome is `()` when the flow completes, and its error when it fails. If `f` panics, the
    /// flow is canceled, and the outcome is an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// millstream::range(0..3).for_each(|n| println!("{n}")).wait()?;
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn for_each<F>(self, mut f: F) -> Outcome<()>
    where
        F: FnMut(P::Item) + Send + 'static,
    {
        terminal::run(
            self.source,
            (),
            move |(), item| {
                f(item);
                ControlFlow::Continue(())
            },
            |()| Ok(()),
        )
    }
}
