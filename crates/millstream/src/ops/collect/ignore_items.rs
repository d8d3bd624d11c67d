//! `ignore_items`: the end alone.

use reactive_streams::Publisher;

use crate::{Flow, Outcome};

impl<P: Publisher> Flow<P> {
    /// Runs the flow for what it does, and drops its items.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// The outcome is `()` when the flow completes, and its error when it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// millstream::range(1..=3).inspect(|n| println!("{n}")).ignore_items().wait()?;
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "ignore_elements")]
    #[doc(alias = "drain")]
    pub fn ignore_items(self) -> Outcome<()> {
        self.for_each(|_| {})
    }
}
