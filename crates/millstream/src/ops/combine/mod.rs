//! Operators that put flows together.

mod concat;
mod concat_all;
mod merge;
mod repeat;
mod repeat_when;

pub use concat::Concat;
pub use concat_all::{ConcatAll, concat_all};
pub use merge::{Merge, MergeWith, merge};
pub use repeat::Repeat;
pub use repeat_when::RepeatWhen;
