//! One source for many subscribers.

#[expect(clippy::module_inception, reason = "the family is named for its first operator")]
mod share;

pub use share::{Share, Sharing};
