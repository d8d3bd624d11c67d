//! Operators that look on.

mod inspect;

pub use inspect::Inspect;
