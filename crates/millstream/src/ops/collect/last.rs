//! `last`: the last item.

use std::ops::ControlFlow;

use reactive_streams::Publisher;

use crate::{Flow, Outcome, parts::terminal};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and keeps its last item.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// The outcome is the item when the flow completes, `None` if there was none, and its error
    /// when it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(millstream::range(3..7).last().wait()?, Some(6));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn last(self) -> Outcome<Option<P::Item>>
    where
        P::Item: Send + 'static,
    {
        terminal::run(
            self.source,
            None,
            |last: &mut Option<P::Item>, item| {
                *last = Some(item);
                ControlFlow::Continue(())
            },
            |last| Ok(last.take()),
        )
    }
}
