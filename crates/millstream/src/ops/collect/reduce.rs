//! `reduce`: one item made of all items.

use std::ops::ControlFlow;

use reactive_streams::Publisher;

use crate::{Flow, Outcome, parts::terminal};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and combines its items, starting with the first.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// The outcome is the combined item when the flow completes, `None` if there was none, and its
    /// error when it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(millstream::from_iter([3, 9, 4]).reduce(i32::max).wait()?, Some(9));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn reduce<F>(self, mut f: F) -> Outcome<Option<P::Item>>
    where
        F: FnMut(P::Item, P::Item) -> P::Item + Send + 'static,
        P::Item: Send + 'static,
    {
        terminal::run(
            self.source,
            None,
            move |value: &mut Option<P::Item>, item| {
                *value = Some(match value.take() {
                    Some(before) => f(before, item),
                    None => item,
                });
                ControlFlow::Continue(())
            },
            |value| Ok(value.take()),
        )
    }
}
