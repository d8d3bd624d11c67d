//! A value that is taken once, by the first to ask.
//!
//! # Invariants
//!
//! 1. The value is given to one caller of `take`; it is never dropped under the lock.

use std::fmt;

use crate::sync::Mutex;

/// A place for one value.
pub struct Slot<T>(Mutex<Option<T>>);

impl<T> Slot<T> {
    /// A slot that holds `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    /// Takes the value, unless it was taken before.
    pub fn take(&self) -> Option<T> {
        self.0.lock().take()
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
