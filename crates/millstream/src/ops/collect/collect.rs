//! `collect`: all items in a collection.

use std::ops::ControlFlow;

use reactive_streams::Publisher;

use crate::{Flow, Outcome, parts::terminal};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and puts its items into a collection.
    ///
    /// The collection grows with the flow: put a [`take`](Self::take) before it if the flow may be
    /// long.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// The outcome is the collection when the flow completes, and its error when it fails; the
    /// items before the failure are then dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let items = millstream::range(0..3).collect::<Vec<_>>().wait()?;
    /// assert_eq!(items, [0, 1, 2]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn collect<C>(self) -> Outcome<C>
    where
        C: Default + Extend<P::Item> + Send + 'static,
    {
        terminal::run(
            self.source,
            C::default(),
            |items: &mut C, item| {
                items.extend(Some(item));
                ControlFlow::Continue(())
            },
            |items| Ok(std::mem::take(items)),
        )
    }
}
