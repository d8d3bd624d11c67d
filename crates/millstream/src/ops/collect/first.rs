//! `first`: the first item.

use std::ops::ControlFlow;

use reactive_streams::Publisher;

use crate::{Flow, Outcome, parts::terminal};

impl<P: Publisher> Flow<P> {
    /// Runs the flow to its first item, and stops it there.
    ///
    /// # Demand
    ///
    /// One item.
    ///
    /// # Termination
    ///
    /// The outcome is the item, `None` when the flow completes without one, and its error when it
    /// fails before.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(millstream::range(3..).first().wait()?, Some(3));
    /// assert_eq!(millstream::empty::<u8>().first().wait()?, None);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn first(self) -> Outcome<Option<P::Item>>
    where
        P::Item: Send + 'static,
    {
        terminal::run_for(
            1,
            self.source,
            None,
            |first: &mut Option<P::Item>, item| {
                *first = Some(item);
                ControlFlow::Break(())
            },
            |first| Ok(first.take()),
        )
    }
}
