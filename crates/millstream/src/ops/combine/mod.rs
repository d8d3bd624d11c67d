//! Operators that put flows together.

mod concat;
mod repeat;

pub use concat::Concat;
pub use repeat::Repeat;
