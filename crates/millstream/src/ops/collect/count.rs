//! `count`: how many items there were.

use std::ops::ControlFlow;

use reactive_streams::Publisher;

use crate::{Flow, Outcome, parts::terminal};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and counts its items.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// The outcome is the number when the flow completes, and its error when it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(millstream::range(0..7).count().wait()?, 7);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn count(self) -> Outcome<u64> {
        terminal::run(
            self.source,
            0,
            |n: &mut u64, _| {
                *n += 1;
                ControlFlow::Continue(())
            },
            |n| Ok(*n),
        )
    }
}
