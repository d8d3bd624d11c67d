//! Operators that let some items through.

#[expect(clippy::module_inception, reason = "the family and its first operator share a name")]
mod filter;
mod filter_map;
mod skip;
mod skip_while;
mod take;
mod take_while;

pub use filter::Filter;
pub use filter_map::FilterMap;
pub use skip::Skip;
pub use skip_while::SkipWhile;
pub use take::Take;
pub use take_while::TakeWhile;
