//! An operator for millstream in a crate of its own: an extension trait, and a file for each
//! operator.
//!
//! ```
//! use own_operator::FlowExt as _;
//!
//! let some = millstream::range(1..=9).every_nth(3).map(|n| n * 10).collect::<Vec<_>>().wait()?;
//! assert_eq!(some, [30, 60, 90]);
//! # Ok::<(), millstream::Error>(())
//! ```

mod every_nth;

pub use every_nth::EveryNth;
use millstream::{Flow, Publisher};

/// The operators of this crate, as methods of [`Flow`].
pub trait FlowExt<P: Publisher> {
    /// Passes each `n`th item on, and drops the others.
    ///
    /// # Demand
    ///
    /// Passed on unchanged. A dropped item uses no demand, so the downstream receives as many items
    /// as it requested (rule 3.8).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    /// use own_operator::FlowExt as _;
    ///
    /// check("--1--2--3--4--|", |source| source.every_nth(2), "-----2-----4--|");
    /// ```
    #[track_caller]
    fn every_nth(self, n: u64) -> Flow<EveryNth<P>>;
}

impl<P: Publisher> FlowExt<P> for Flow<P> {
    fn every_nth(self, n: u64) -> Flow<EveryNth<P>> {
        Flow::from(EveryNth::new(self.into_inner(), n))
    }
}
