//! `any`, `all`, `contains`: questions about all items.

use std::ops::ControlFlow;

use reactive_streams::Publisher;

use crate::{Flow, Outcome, parts::terminal};

impl<P: Publisher> Flow<P> {
    /// Runs the flow until `predicate` holds for an item.
    ///
    /// # Demand
    ///
    /// Unbounded; the source is canceled with the item that decides.
    ///
    /// # Termination
    ///
    /// The outcome is whether it held for one, and the flow's error when it fails before.
    /// Of no items, it holds for none. If `predicate` panics, the outcome is an error of kind
    /// `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(millstream::range(1..).any(|n| n * n == 144).wait()?);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "exists")]
    pub fn any<F>(self, mut predicate: F) -> Outcome<bool>
    where
        F: FnMut(P::Item) -> bool + Send + 'static,
    {
        let step = move |holds: &mut bool, item| {
            *holds = predicate(item);
            if *holds { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        terminal::run(self.source, false, step, |holds| Ok(*holds))
    }

    /// Runs the flow until `predicate` fails for an item.
    ///
    /// # Demand
    ///
    /// Unbounded; the source is canceled with the item that decides.
    ///
    /// # Termination
    ///
    /// The outcome is whether it held for all, and the flow's error when it fails before.
    /// Of no items, it holds for all. If `predicate` panics, the outcome is an error of kind
    /// `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(millstream::range(1..9).all(|n| n < 9).wait()?);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "every")]
    pub fn all<F>(self, mut predicate: F) -> Outcome<bool>
    where
        F: FnMut(P::Item) -> bool + Send + 'static,
    {
        let step = move |holds: &mut bool, item| {
            *holds = predicate(item);
            if *holds { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        terminal::run(self.source, true, step, |holds| Ok(*holds))
    }

    /// Runs the flow until an item equals `wanted`.
    ///
    /// # Demand
    ///
    /// As [`any`](Self::any).
    ///
    /// # Termination
    ///
    /// As [`any`](Self::any).
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(!millstream::range(1..9).contains(9).wait()?);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "has_element")]
    pub fn contains<U>(self, wanted: U) -> Outcome<bool>
    where
        P::Item: PartialEq<U>,
        U: Send + 'static,
    {
        self.any(move |item| item == wanted)
    }
}
