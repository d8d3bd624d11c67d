//! `fold`: one value made of all items.

use std::ops::ControlFlow;

use millstream_kernel::Accumulator;
use reactive_streams::{Error, ErrorKind, Publisher};

use crate::{Flow, Outcome, parts::terminal};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and combines its items into one value, starting with `init`.
    ///
    /// # Demand
    ///
    /// Unbounded. Put a [`limit_rate`](Self::limit_rate) before it to ask in portions.
    ///
    /// # Termination
    ///
    /// The outcome is the value when the flow completes, and its error when it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// let product = millstream::range(1..=5).fold(1, |product, n| product * n).wait()?;
    /// assert_eq!(product, 120);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn fold<A, F>(self, init: A, mut f: F) -> Outcome<A>
    where
        A: Send + 'static,
        F: FnMut(A, P::Item) -> A + Send + 'static,
    {
        terminal::run(
            self.source,
            Accumulator::new(init),
            move |value: &mut Accumulator<A>, item| {
                value.update(|before| f(before, item));
                ControlFlow::Continue(())
            },
            |value| value.take().ok_or_else(lost),
        )
    }
}

/// The value went into a closure that panicked, and the publisher completed all the same.
fn lost() -> Error {
    Error::new(ErrorKind::Panicked, "the closure of a fold panicked, and its value is lost")
}
