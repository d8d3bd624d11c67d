//! `sum`: all items added up.

use std::ops::AddAssign;

use reactive_streams::Publisher;

use crate::{Flow, Outcome};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and adds its items to the default of `A`, such as 0.
    ///
    /// A sum that does not fit its type is what `+=` makes of it: a panic, and so an error of kind
    /// `Panicked`, where overflow is checked. Name a wider type where the items may add up to more.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// The outcome is the sum when the flow completes, and its error when it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// let n_bytes = millstream::from_iter(["ab", "cde"]).map(str::len).sum::<usize>();
    /// assert_eq!(n_bytes.wait()?, 5);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn sum<A>(self) -> Outcome<A>
    where
        A: Default + AddAssign<P::Item> + Send + 'static,
    {
        self.fold(A::default(), |mut sum, item| {
            sum += item;
            sum
        })
    }
}
